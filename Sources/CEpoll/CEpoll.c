#define _GNU_SOURCE
#include "Loop.h"

#include <stdlib.h>
#include <string.h>

__thread struct event_loop cepoll_loop = {.epoll = -1, .ahead.descriptor = -1};

int cepoll_join(cepoll_guest_ready ready, cepoll_guests_served served, void *context) {
    loop.ready = ready;
    loop.served = served;
    loop.context = context;
    cepoll_prepare_rests();
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
    loop.rests.count = loop.rests.noted = 0;
}

// Takes the place of the C library's function in this process, as do `poll`, `recv` and `clock_gettime`.
int epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    // Bytes that were read ahead are as good as bytes in the socket: whoever waits for them is ready.
    if (is(loop.ahead.descriptor, is_watched)) timeout = 0;
    int count = cepoll_wait_and_rest(epoll, events, capacity, timeout);
    loop.epoll = epoll;
    if (loop.ready == NULL) return count;
    uint32_t now = 0;
    for (int index = 0; index < count; index++) {
        uint64_t data = events[index].data.u64;
        if (!(data & guest_mark)) continue;
        int descriptor = (int)(data & ~guest_mark);
        know(descriptor, is_empty, false);
        if (loop.serving++ == 0) now = cepoll_microseconds();
        if (events[index].events & EPOLLIN) cepoll_note_spoken(descriptor, now);
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
    cepoll_begin_rests();
    return count < 0 ? count : kept;
}

static int control(int epoll, int operation, int descriptor, uint32_t events) {
    int code = set_events(epoll, operation, descriptor, events);
    struct guest *guest = guest_of(descriptor);
    uint8_t facts = code == 0 && events & EPOLLIN ? is_watched : 0;
    if (guest != NULL) *guest = (struct guest){.facts = facts, .events = (uint16_t)events};
    return code;
}

int cepoll_watch(int epoll, int descriptor, uint32_t events) {
    if (descriptor >= loop.guest_count) {
        // Without memory nothing is known of the guest, and the kernel is asked.
        int wanted = (descriptor + 1) * 2;
        struct guest *larger = realloc(loop.guests, (size_t)wanted * sizeof *larger);
        if (larger != NULL) {
            memset(larger + loop.guest_count, 0, (size_t)(wanted - loop.guest_count) * sizeof *larger);
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

void cepoll_begins_anew(int descriptor) {
    struct guest *guest = guest_of(descriptor);
    if (guest == NULL) return;
    guest->quick = 0;
    cepoll_end_rest(guest, descriptor);
}

void cepoll_closes(int descriptor) {
    struct guest *guest = guest_of(descriptor);
    if (guest != NULL) *guest = (struct guest){0};
    if (has_ahead(descriptor)) loop.ahead.descriptor = -1;
}
