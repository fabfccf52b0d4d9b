// What a thread knows of its event loop and the guests in it. Everything here belongs to the thread.
#ifndef SLUICE_CEPOLL_LOOP_H
#define SLUICE_CEPOLL_LOOP_H

#include "CEpoll.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

// What marks a guest's event. NIO stores the descriptor in the lower half, and no descriptor has this bit.
static const uint64_t guest_mark = UINT64_C(1) << 31;

// What is known of a guest without asking the kernel.
enum {
    // Epoll tells when it can be read; of one that rests, when its rest is over.
    is_watched = 1,
    // The last read emptied it, and epoll has not spoken since.
    is_empty = 2,
    is_resting = 4,
};

struct guest {
    uint8_t facts;
    // How often in a row it could be read again soon after the time before.
    uint8_t quick;
    uint16_t events;
    // When epoll last said that it can be read, in microseconds of the monotonic clock.
    uint32_t spoke;
};

// Rests of one thread at once. Guests beyond them go on without one.
enum { most_rests = 512 };

struct event_loop {
    cepoll_guest_ready ready;
    cepoll_guests_served served;
    void *context;
    int epoll;
    struct guest *guests;
    int guest_count;
    // Guests that the wait brought, while they are served.
    int serving;
    // Bytes that were read with a header before anybody asked for them; of one guest at a time.
    struct {
        int descriptor;
        size_t start, end;
        char *bytes;
    } ahead;
    // A ring, in the order in which rests end. One that ended early stays in its place and is passed over.
    struct {
        bool are_possible;
        unsigned first, count;
        // The last so many are of guests that are being served.
        unsigned noted;
        struct rest {
            int descriptor;
            uint32_t spoke;
        } ring[most_rests];
    } rests;
    // One reading of the monotonic clock for everything that happens between `cepoll_hold_clock` and `cepoll_let_clock_go`.
    struct {
        bool is_held, is_read;
        struct timespec time;
    } clock;
};

extern __thread struct event_loop cepoll_loop __attribute__((visibility("hidden")));
#define loop cepoll_loop

static inline struct guest *guest_of(int descriptor) {
    return descriptor >= 0 && descriptor < loop.guest_count ? &loop.guests[descriptor] : NULL;
}

static inline bool is(int descriptor, uint8_t facts) {
    const struct guest *guest = guest_of(descriptor);
    return guest != NULL && (guest->facts & facts) == facts;
}

static inline void know(int descriptor, uint8_t facts, bool are_true) {
    struct guest *guest = guest_of(descriptor);
    if (guest != NULL) guest->facts = (uint8_t)(are_true ? guest->facts | facts : guest->facts & ~facts);
}

static inline bool has_ahead(int descriptor) { return loop.ahead.descriptor == descriptor && descriptor >= 0; }

// `epoll_ctl` for a guest: 0 or an error number.
static inline int set_events(int epoll, int operation, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.u64 = guest_mark | (uint32_t)descriptor}};
    return epoll_ctl(epoll, operation, descriptor, &event) == 0 ? 0 : errno;
}

// Asks the kernel whether a thread can wait for less than a millisecond, without which no guest rests.
void cepoll_prepare_rests(void);
// `epoll_wait`, which ends rests that are over.
int cepoll_wait_and_rest(int epoll, struct epoll_event *events, int capacity, int timeout);
// The monotonic clock. Wraps round every 71 minutes: then a guest may seem to have spoken just now that spoke so long ago, which
// counts once.
uint32_t cepoll_microseconds(void);
// A wait has brought that the guest can be read: it may rest when it has been.
void cepoll_note_spoken(int descriptor, uint32_t now);
// All that spoke have been read: those that did so quickly rest.
void cepoll_begin_rests(void);
// Ends a guest's rest early, if it has one.
void cepoll_end_rest(struct guest *guest, int descriptor);

#endif
