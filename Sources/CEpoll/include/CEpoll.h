// Sockets that are not NIO's, in the epoll of NIO's event loop.
//
// NIO has no public way to watch a descriptor that it does not own. Its loops wait in `epoll_wait`, though, and this
// module defines that symbol: a thread that has called `cepoll_join` gets the events of its guests handed to a function,
// and NIO gets the rest. So libcurl's sockets need no thread and no epoll of their own
// (docs/decisions/0004-guests-in-the-event-loop.md).
//
// It defines `poll` and `recv` too, for all that call them in this process; on a guest's socket, on its own thread, they
// know more than the kernel was asked for (docs/decisions/0007-fewer-calls-for-a-guest.md):
// - A read that did not fill its buffer has emptied the socket. Until epoll speaks of it, `poll` need not ask whether it
//   can be read.
// - A short read is for a header, such as a TLS record's, and what follows is asked for next: it is read with it. Such bytes
//   count as bytes in the socket, for `recv`, `poll` and `epoll_wait` alike.
//
// A guest that can be read again and again within 200 microseconds rests for 100 between two reads
// (docs/decisions/0015-rests.md).
//
// And `clock_gettime`: what the loop calls between `cepoll_hold_clock` and `cepoll_let_clock_go` shares one reading of the
// monotonic clock. All others, and all other clocks, get the C library's.
#ifndef SLUICE_CEPOLL_H
#define SLUICE_CEPOLL_H

#include <stdint.h>
#include <sys/epoll.h>

// Enumerators as plain constants: Swift sees them with one type.
static const uint32_t CEPOLL_IN = EPOLLIN;
static const uint32_t CEPOLL_OUT = EPOLLOUT;
static const uint32_t CEPOLL_ERR = EPOLLERR;
static const uint32_t CEPOLL_HUP = EPOLLHUP;

// Called on the thread that waits, between its return from the kernel and its return to NIO.
typedef void (*cepoll_guest_ready)(void *context, int descriptor, uint32_t events);

// Called once behind the calls of `cepoll_guest_ready` that one wait led to: the time for what they left undone.
typedef void (*cepoll_guests_served)(void *context);

// Takes the guests of the calling thread's event loop under `ready` and, unless it is NULL, `served`. Returns the loop's epoll descriptor, or -1 where this
// thread has never waited in `epoll_wait`. One caller per thread.
int cepoll_join(cepoll_guest_ready ready, cepoll_guests_served served, void *context);

// How many guests the wait brought whose guests are being served; 0 at other times.
int cepoll_guests_of_wait(void);

// Ends it: to be called on the same thread, when no guest is watched any more.
void cepoll_leave(void);

// Watches a guest for `events`; level-triggered. Returns 0 or an error number.
int cepoll_watch(int epoll, int descriptor, uint32_t events);
// The same for a guest that is watched already.
int cepoll_change(int epoll, int descriptor, uint32_t events);
int cepoll_forget(int epoll, int descriptor);
// What the guest says from here on belongs to something else than what it said before: it does not rest for that.
void cepoll_begins_anew(int descriptor);
// To be called before a guest is closed, watched or not: another socket may have its number next.
void cepoll_closes(int descriptor);

// From here on the calling thread reads CLOCK_MONOTONIC once at most, when it is first asked for, and again after a `poll`
// that may have slept. For short work that asks for the time again and again; it does not nest.
void cepoll_hold_clock(void);
void cepoll_let_clock_go(void);

#endif
