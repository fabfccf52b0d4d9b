#define _GNU_SOURCE
#include "CEpoll.h"

#include <errno.h>
#include <stddef.h>

// What marks a guest's event. NIO stores the descriptor in the lower half, and no descriptor has this bit.
static const uint64_t guest_mark = UINT64_C(1) << 31;

static __thread struct {
    cepoll_guest_ready ready;
    void *context;
    int epoll;
} loop = {NULL, NULL, -1};

int cepoll_join(cepoll_guest_ready ready, void *context) {
    loop.ready = ready;
    loop.context = context;
    return loop.epoll;
}

void cepoll_leave(void) { loop.ready = NULL; }

// Takes the place of the C library's function in this process.
int epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    int count = epoll_pwait(epoll, events, capacity, timeout, NULL);
    loop.epoll = epoll;
    if (loop.ready == NULL) return count;
    int kept = 0;
    for (int index = 0; index < count; index++) {
        uint64_t data = events[index].data.u64;
        if (data & guest_mark) {
            loop.ready(loop.context, (int)(data & ~guest_mark), events[index].events);
        } else {
            events[kept++] = events[index];
        }
    }
    return count < 0 ? count : kept;
}

static int control(int epoll, int operation, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events, .data = {.u64 = guest_mark | (uint32_t)descriptor}};
    return epoll_ctl(epoll, operation, descriptor, &event) == 0 ? 0 : errno;
}

int cepoll_watch(int epoll, int descriptor, uint32_t events) {
    return control(epoll, EPOLL_CTL_ADD, descriptor, events);
}

int cepoll_change(int epoll, int descriptor, uint32_t events) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, events);
}

int cepoll_forget(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0); }
