#define _GNU_SOURCE
#include "CEpoll.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// What marks a guest's event. NIO stores the descriptor in the lower half, and no descriptor has this bit.
static const uint64_t guest_mark = UINT64_C(1) << 31;

// What a thread knows of its guests without asking the kernel, a byte for each descriptor.
enum {
    // Epoll tells when it can be read.
    is_watched = 1,
    // The last read emptied it, and epoll has not spoken since.
    is_empty = 2,
};

// A read of less than this is for a header that says how much follows: what follows is read with it.
static const size_t least_read = 64;

static __thread struct {
    cepoll_guest_ready ready;
    cepoll_guests_served served;
    void *context;
    int epoll;
    unsigned char *guests;
    int guest_count;
    // Guests that the wait brought, while they are served.
    int serving;
    // Bytes that were read with a header before anybody asked for them; of one guest at a time.
    struct {
        int descriptor;
        size_t start, end;
        char *bytes;
    } ahead;
    // One reading of the monotonic clock for everything that happens between `cepoll_hold_clock` and `cepoll_let_clock_go`.
    struct {
        bool is_held, is_read;
        struct timespec time;
    } clock;
} loop = {.epoll = -1, .ahead.descriptor = -1};

// A TLS record of the longest kind with all that OpenSSL allows for it, but for its header.
static const size_t ahead_capacity = 16 * 1024 + 2048;

int cepoll_join(cepoll_guest_ready ready, cepoll_guests_served served, void *context) {
    loop.ready = ready;
    loop.served = served;
    loop.context = context;
    return loop.epoll;
}

int cepoll_guests_of_wait(void) { return loop.serving; }

void cepoll_leave(void) {
    loop.ready = NULL;
    loop.served = NULL;
    free(loop.guests);
    loop.guests = NULL;
    loop.guest_count = 0;
    free(loop.ahead.bytes);
    loop.ahead.bytes = NULL;
    loop.ahead.descriptor = -1;
}

static bool is(int descriptor, unsigned char facts) {
    return descriptor >= 0 && descriptor < loop.guest_count && (loop.guests[descriptor] & facts) == facts;
}

static void know(int descriptor, unsigned char facts) {
    if (descriptor < loop.guest_count) loop.guests[descriptor] = facts;
}

static void forget(int descriptor, unsigned char facts) {
    if (descriptor < loop.guest_count) loop.guests[descriptor] &= (unsigned char)~facts;
}

static bool has_ahead(int descriptor) { return loop.ahead.descriptor == descriptor && descriptor >= 0; }

// Takes the place of the C library's function in this process, as do `poll`, `recv` and `clock_gettime` below.
int epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    // Bytes that were read ahead are as good as bytes in the socket: whoever waits for them is ready.
    if (is(loop.ahead.descriptor, is_watched)) timeout = 0;
    int count = epoll_pwait(epoll, events, capacity, timeout, NULL);
    loop.epoll = epoll;
    if (loop.ready == NULL) return count;
    for (int index = 0; index < count; index++) {
        uint64_t data = events[index].data.u64;
        if (!(data & guest_mark)) continue;
        forget((int)(data & ~guest_mark), is_empty);
        loop.serving++;
    }
    int kept = 0;
    for (int index = 0; index < count; index++) {
        uint64_t data = events[index].data.u64;
        if (data & guest_mark) {
            loop.ready(loop.context, (int)(data & ~guest_mark), events[index].events);
        } else {
            events[kept++] = events[index];
        }
    }
    if (is(loop.ahead.descriptor, is_watched)) {
        loop.serving++;
        loop.ready(loop.context, loop.ahead.descriptor, EPOLLIN);
    }
    if (loop.serving > 0 && loop.served != NULL) loop.served(loop.context);
    loop.serving = 0;
    return count < 0 ? count : kept;
}

static const short asks_to_read = POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND;

int poll(struct pollfd *entries, nfds_t count, int timeout) {
    bool holds = false;
    for (nfds_t index = 0; index < count; index++) {
        holds = holds || (has_ahead(entries[index].fd) && entries[index].events & POLLIN);
    }
    if (count == 1 && timeout == 0 && !(entries->events & ~asks_to_read)) {
        // Whether this guest can be read is known: epoll will tell when that changes.
        if (holds) {
            entries->revents = entries->events & (POLLIN | POLLRDNORM);
            return 1;
        }
        if (is(entries->fd, is_watched | is_empty)) return entries->revents = 0;
    }
    if (holds) timeout = 0;
    if (timeout != 0) loop.clock.is_read = false;
    struct timespec patience = {.tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000L};
    int ready = ppoll(entries, count, timeout < 0 ? NULL : &patience, NULL);
    if (!holds || ready < 0) return ready;
    for (nfds_t index = 0; index < count; index++) {
        if (!has_ahead(entries[index].fd) || !(entries[index].events & POLLIN)) continue;
        if (entries[index].revents == 0) ready++;
        entries[index].revents |= entries[index].events & (POLLIN | POLLRDNORM);
    }
    return ready;
}

ssize_t recv(int descriptor, void *to, size_t room, int flags) {
    if (has_ahead(descriptor)) {
        size_t left = loop.ahead.end - loop.ahead.start;
        size_t count = room < left ? room : left;
        memcpy(to, loop.ahead.bytes + loop.ahead.start, count);
        if (flags & MSG_PEEK) return (ssize_t)count;
        loop.ahead.start += count;
        if (count == left) loop.ahead.descriptor = -1;
        return (ssize_t)count;
    }
    if (flags & MSG_PEEK && is(descriptor, is_watched | is_empty)) {
        // How libcurl asks whether a kept TLS connection still lives.
        errno = EAGAIN;
        return -1;
    }
    if (flags != 0 || !is(descriptor, is_watched)) return recvfrom(descriptor, to, room, flags, NULL, NULL);
    size_t asked = room;
    ssize_t count;
    if (room < least_read && loop.ahead.descriptor < 0
        && (loop.ahead.bytes != NULL || (loop.ahead.bytes = malloc(ahead_capacity)) != NULL)) {
        struct iovec parts[] = {{to, room}, {loop.ahead.bytes, ahead_capacity}};
        asked += ahead_capacity;
        count = readv(descriptor, parts, 2);
    } else {
        count = recvfrom(descriptor, to, room, 0, NULL, NULL);
    }
    bool isEmpty = (count > 0 && (size_t)count < asked) || (count < 0 && errno == EAGAIN);
    know(descriptor, isEmpty ? is_watched | is_empty : is_watched);
    if (count <= (ssize_t)room) return count;
    loop.ahead.descriptor = descriptor;
    loop.ahead.start = 0;
    loop.ahead.end = (size_t)count - room;
    return (ssize_t)room;
}

typedef int (*clock_reader)(clockid_t, struct timespec *);

// The C library's function, which reads the clock without the kernel where that can be done.
static int read_clock(clockid_t clock, struct timespec *time) {
    static _Atomic(clock_reader) found;
    clock_reader reader = atomic_load_explicit(&found, memory_order_relaxed);
    if (reader == NULL) {
        reader = (clock_reader)dlsym(RTLD_NEXT, "clock_gettime");
        if (reader == NULL) return (int)syscall(SYS_clock_gettime, clock, time);
        atomic_store_explicit(&found, reader, memory_order_relaxed);
    }
    return reader(clock, time);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!loop.clock.is_held || clock != CLOCK_MONOTONIC) return read_clock(clock, time);
    if (!loop.clock.is_read) {
        int code = read_clock(clock, &loop.clock.time);
        if (code != 0) return code;
        loop.clock.is_read = true;
    }
    *time = loop.clock.time;
    return 0;
}

void cepoll_hold_clock(void) {
    loop.clock.is_held = true;
    loop.clock.is_read = false;
}

void cepoll_let_clock_go(void) { loop.clock.is_held = false; }

static int control(int epoll, int operation, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.u64 = guest_mark | (uint32_t)descriptor}};
    int code = epoll_ctl(epoll, operation, descriptor, &event) == 0 ? 0 : errno;
    know(descriptor, code == 0 && events & EPOLLIN ? is_watched : 0);
    return code;
}

int cepoll_watch(int epoll, int descriptor, uint32_t events) {
    if (descriptor >= loop.guest_count) {
        // Without memory nothing is known of the guest, and the kernel is asked.
        int wanted = (descriptor + 1) * 2;
        unsigned char *larger = realloc(loop.guests, (size_t)wanted);
        if (larger != NULL) {
            memset(larger + loop.guest_count, 0, (size_t)(wanted - loop.guest_count));
            loop.guests = larger;
            loop.guest_count = wanted;
        }
    }
    return control(epoll, EPOLL_CTL_ADD, descriptor, events);
}

int cepoll_change(int epoll, int descriptor, uint32_t events) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, events);
}

int cepoll_forget(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0); }

void cepoll_closes(int descriptor) {
    know(descriptor, 0);
    if (has_ahead(descriptor)) loop.ahead.descriptor = -1;
}
