#define _GNU_SOURCE
#include "Loop.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

// `poll` and `recv`, which ask the kernel less of guests (docs/decisions/0007-fewer-calls-for-a-guest.md).

// A read of less than this is for a header that says how much follows: what follows is read with it.
static const size_t least_read = 64;
// A TLS record of the longest kind with all that OpenSSL allows for it, but for its header.
static const size_t ahead_capacity = 16 * 1024 + 2048;

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
    know(descriptor, is_empty, isEmpty);
    if (count <= (ssize_t)room) return count;
    loop.ahead.descriptor = descriptor;
    loop.ahead.start = 0;
    loop.ahead.end = (size_t)count - room;
    return (ssize_t)room;
}
