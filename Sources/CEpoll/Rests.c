#define _GNU_SOURCE
#include "Loop.h"

// A server that speaks faster than anybody listens costs a wait, a read and a write for every few hundred bytes. Such a guest is left
// alone for a while behind each read: its bytes gather in the socket, and the next read and write bring more of them
// (docs/decisions/0015-rests.md).

// How long a guest rests from the time it spoke, in microseconds.
static const uint32_t rest_time = 100;
// A guest is quick that speaks again within this time, and rests after it was quick as often in a row. So the first events of
// a stream never wait, nor do those that come singly.
static const uint32_t quick_time = 2 * rest_time;
enum { quick_to_rest = 4 };
// Rests that end this soon end with one that is over: one wait serves them all.
static const uint32_t slack = rest_time / 4;

uint32_t cepoll_microseconds(void) {
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint32_t)((uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000);
}

void cepoll_prepare_rests(void) {
    struct epoll_event none;
    struct timespec now = {0};
    // Linux 5.11. Of an unknown call, or one that a sandbox forbids, the kernel does not come to look at the descriptor.
    loop.rests.are_possible = epoll_pwait2(-1, &none, 1, &now, NULL) < 0 && errno == EBADF;
}

void cepoll_note_spoken(int descriptor, uint32_t now) {
    struct guest *guest = guest_of(descriptor);
    if (guest == NULL || !loop.rests.are_possible) return;
    if (now - guest->spoke >= quick_time) {
        guest->quick = 0;
    } else if (guest->quick < quick_to_rest) {
        guest->quick++;
    }
    guest->spoke = now;
    if (guest->quick < quick_to_rest || loop.rests.count == most_rests) return;
    unsigned place = (loop.rests.first + loop.rests.count) % most_rests;
    loop.rests.ring[place] = (struct rest){descriptor, now};
    loop.rests.count++;
    loop.rests.noted++;
}

void cepoll_begin_rests(void) {
    for (; loop.rests.noted > 0; loop.rests.noted--) {
        struct rest rest = loop.rests.ring[(loop.rests.first + loop.rests.count - loop.rests.noted) % most_rests];
        struct guest *guest = guest_of(rest.descriptor);
        // Nobody may want to read it any more, or what was read with it counts as input.
        if (guest == NULL || guest->quick < quick_to_rest || has_ahead(rest.descriptor)) continue;
        if ((guest->facts & (is_watched | is_resting)) != is_watched) continue;
        uint32_t others = guest->events & ~(uint32_t)EPOLLIN;
        if (set_events(loop.epoll, EPOLL_CTL_MOD, rest.descriptor, others) == 0) guest->facts |= is_resting;
    }
}

void cepoll_end_rest(struct guest *guest, int descriptor) {
    if (!(guest->facts & is_resting)) return;
    guest->facts &= (uint8_t)~is_resting;
    set_events(loop.epoll, EPOLL_CTL_MOD, descriptor, guest->events);
}

// Ends the rests that are over at `now`. Returns the microseconds until the next one is, or -1 where none is left.
static int64_t end_rests(uint32_t now) {
    while (loop.rests.count > 0) {
        struct rest rest = loop.rests.ring[loop.rests.first];
        uint32_t rested = now - rest.spoke;
        if (rested + slack < rest_time) return rest_time - rested;
        loop.rests.first = (loop.rests.first + 1) % most_rests;
        loop.rests.count--;
        struct guest *guest = guest_of(rest.descriptor);
        if (guest != NULL && guest->spoke == rest.spoke) cepoll_end_rest(guest, rest.descriptor);
    }
    return -1;
}

int cepoll_wait_and_rest(int epoll, struct epoll_event *events, int capacity, int timeout) {
    if (loop.rests.count == 0) return epoll_pwait(epoll, events, capacity, timeout, NULL);
    uint32_t began = cepoll_microseconds(), now = began;
    for (;; now = cepoll_microseconds()) {
        int64_t rest = end_rests(now);
        int64_t patience = (int64_t)timeout * 1000 - (now - began);
        if (timeout >= 0 && patience < 0) patience = 0;
        bool ends_with_rest = rest >= 0 && (timeout < 0 || rest < patience);
        if (timeout < 0 && !ends_with_rest) return epoll_pwait(epoll, events, capacity, -1, NULL);
        int64_t time = ends_with_rest ? rest : patience;
        struct timespec sleep = {.tv_sec = time / 1000000, .tv_nsec = time % 1000000 * 1000};
        int count = epoll_pwait2(epoll, events, capacity, &sleep, NULL);
        if (count != 0 || !ends_with_rest) return count;
    }
}
