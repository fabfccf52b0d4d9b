// Counts what a process asks of its C library: allocations, system calls, wake-ups of event loops. Loaded with
// LD_PRELOAD; `build-library` makes it, `count` and `Tests/BudgetTests` read it.
//
//   COUNTERS_FILE   the counters, mapped into memory: whoever maps it too reads them at any moment, without a signal.
//   COUNTERS_SITES  where the marked counters were counted from: stacks, in a file of the same kind.
//
// Both files begin with a `header`, followed by its number of records (`counter` or `site`, both in this file). Little
// is assumed of the reader: a record is words of 64 bits behind texts that are padded with zeros.
//
// What it does not see:
//   - system calls that glibc makes on its own behalf (`fopen`, `getaddrinfo`, a mutex that has to wait, `malloc` that
//     asks the kernel for memory) and those of code that brings its own `syscall` instruction;
//   - what the vDSO answers without the kernel; `clock_gettime` is counted, as a call, in a group of its own;
//   - allocations that go past `malloc`: stacks, `mmap`, the slabs of Swift tasks (only each new slab).
// A call that glibc makes for another of its own (`eventfd_write` writes) counts once.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if !defined(__GLIBC__) || !defined(__LP64__)
#error "written for glibc on a machine of 64 bits"
#endif

// Every counter and its group. A group is what a budget is set for.
#define COUNTERS(X) \
    X(malloc, allocations) X(calloc, allocations) X(realloc, allocations) \
    X(posix_memalign, allocations) X(aligned_alloc, allocations) X(memalign, allocations) X(free, frees) \
    X(read, syscalls) X(write, syscalls) X(readv, syscalls) X(writev, syscalls) X(pread, syscalls) X(pwrite, syscalls) \
    X(recv, syscalls) X(recvfrom, syscalls) X(recvmsg, syscalls) X(recvmmsg, syscalls) \
    X(send, syscalls) X(sendto, syscalls) X(sendmsg, syscalls) X(sendmmsg, syscalls) X(sendfile, syscalls) \
    X(epoll_wait, syscalls) X(epoll_pwait, syscalls) X(epoll_pwait2, syscalls) X(epoll_ctl, syscalls) \
    X(poll, syscalls) X(ppoll, syscalls) X(timerfd_settime, syscalls) X(eventfd_read, syscalls) \
    X(accept, syscalls) X(accept4, syscalls) X(socket, syscalls) X(socketpair, syscalls) X(bind, syscalls) \
    X(connect, syscalls) X(close, syscalls) X(shutdown, syscalls) X(setsockopt, syscalls) X(getsockopt, syscalls) \
    X(getsockname, syscalls) X(getpeername, syscalls) X(ioctl, syscalls) X(fcntl, syscalls) \
    X(futex, syscalls) X(other_syscall, syscalls) \
    X(eventfd_write, hops) X(pthread_cond_signal, hops) X(pthread_cond_broadcast, hops) \
    X(pthread_mutex_lock, locks) X(clock_gettime, clocks)

enum counter_index {
#define X(name, group) COUNT_##name,
    COUNTERS(X)
#undef X
    COUNTER_COUNT
};

struct header {
    char magic[16];
    uint64_t record_bytes;
    uint64_t record_count;
};

struct counter {
    char name[32];
    char group[16];
    _Atomic uint64_t calls;
    // Of allocations the bytes asked for; of the rest all positive results: bytes moved, events ready.
    _Atomic uint64_t sum;
    // Calls that came back with EAGAIN: asked for nothing.
    _Atomic uint64_t refused;
    // The reader sets it to have stacks recorded.
    _Atomic uint64_t marked;
};

enum { MAX_FRAMES = 40, SITE_COUNT = 16384 };

struct site {
    _Atomic uint64_t hash;
    _Atomic uint64_t calls;
    _Atomic uint64_t sum;
    uint64_t counter;
    // 0 until the frames are there.
    _Atomic uint64_t depth;
    uint64_t frames[MAX_FRAMES];
};

struct counters_file {
    struct header header;
    struct counter counters[COUNTER_COUNT];
};

struct sites_file {
    struct header header;
    struct site sites[SITE_COUNT];
};

// Counts before the constructor ran, and of a process that nobody asked, go here and are lost.
static struct counters_file lost;
static struct counters_file *counters = &lost;
static struct sites_file *sites = NULL;

// Set while a stack is taken, which may itself allocate or lock.
static _Thread_local bool is_inside __attribute__((tls_model("initial-exec")));

// MARK: counting

static void record_site(enum counter_index index, uint64_t sum) {
    struct sites_file *file = sites;
    if (file == NULL || is_inside) return;
    is_inside = true;
    int saved = errno;
    void *frames[MAX_FRAMES];
    int depth = backtrace(frames, MAX_FRAMES);
    uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)index;
    for (int i = 0; i < depth; i++) {
        hash = (hash ^ (uint64_t)frames[i]) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    if (hash == 0) hash = 1;
    // A table that is full drops the rest: 16,384 different stacks are more than anybody reads.
    for (uint64_t probe = 0; probe < SITE_COUNT; probe++) {
        struct site *site = &file->sites[(hash + probe) % SITE_COUNT];
        uint64_t found = 0;
        if (atomic_compare_exchange_strong(&site->hash, &found, hash)) {
            site->counter = index;
            for (int i = 0; i < depth; i++) site->frames[i] = (uint64_t)frames[i];
            atomic_store_explicit(&site->depth, (uint64_t)depth, memory_order_release);
            found = hash;
        }
        if (found == hash) {
            atomic_fetch_add_explicit(&site->calls, 1, memory_order_relaxed);
            atomic_fetch_add_explicit(&site->sum, sum, memory_order_relaxed);
            break;
        }
    }
    errno = saved;
    is_inside = false;
}

static inline void count(enum counter_index index, uint64_t sum) {
    if (is_inside) return;
    struct counter *counter = &counters->counters[index];
    atomic_fetch_add_explicit(&counter->calls, 1, memory_order_relaxed);
    if (sum != 0) atomic_fetch_add_explicit(&counter->sum, sum, memory_order_relaxed);
    if (__builtin_expect(atomic_load_explicit(&counter->marked, memory_order_relaxed) != 0, 0)) record_site(index, sum);
}

static inline void count_result(enum counter_index index, int64_t result) {
    if (result < 0 && (errno == EAGAIN || errno == EINPROGRESS))
        atomic_fetch_add_explicit(&counters->counters[index].refused, 1, memory_order_relaxed);
    count(index, result > 0 ? (uint64_t)result : 0);
}

// MARK: the files

static void *map_file(const char *variable, uint64_t bytes) {
    const char *path = getenv(variable);
    if (path == NULL || path[0] == 0) return NULL;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) abort();
    if (ftruncate(descriptor, (off_t)bytes) != 0) abort();
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) abort();
    close(descriptor);
    return memory;
}

// The magic comes last: who finds it finds the rest.
static void begin(struct header *header, const char *magic, uint64_t record_bytes, uint64_t record_count) {
    header->record_bytes = record_bytes;
    header->record_count = record_count;
    atomic_thread_fence(memory_order_release);
    memcpy(header->magic, magic, strlen(magic));
}

__attribute__((constructor)) static void start(void) {
    // The first call loads the unwinder.
    void *frame;
    backtrace(&frame, 1);

    struct sites_file *sites_memory = map_file("COUNTERS_SITES", sizeof *sites);
    if (sites_memory != NULL) {
        begin(&sites_memory->header, "sluice-sites-1", sizeof(struct site), SITE_COUNT);
        sites = sites_memory;
    }
    struct counters_file *memory = map_file("COUNTERS_FILE", sizeof *counters);
    if (memory == NULL) return;
#define X(name_, group_) \
    strncpy(memory->counters[COUNT_##name_].name, #name_, sizeof memory->counters->name - 1); \
    strncpy(memory->counters[COUNT_##name_].group, #group_, sizeof memory->counters->group - 1);
    COUNTERS(X)
#undef X
    begin(&memory->header, "sluice-counts-1", sizeof(struct counter), COUNTER_COUNT);
    counters = memory;
}

// MARK: allocations

// glibc's own names for them, so that there is nothing to look up, which would allocate.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

void *malloc(size_t size) {
    count(COUNT_malloc, size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(COUNT_calloc, number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    count(COUNT_realloc, size);
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count(COUNT_memalign, size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count(COUNT_aligned_alloc, size);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    count(COUNT_posix_memalign, size);
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *result = memory;
    return 0;
}

void free(void *memory) {
    if (memory == NULL) return;
    count(COUNT_free, 0);
    __libc_free(memory);
}

// MARK: system calls

// Two threads may look the same name up at once, and find the same.
static void *next_symbol(_Atomic(void *) *found, const char *name) {
    void *symbol = atomic_load_explicit(found, memory_order_relaxed);
    if (__builtin_expect(symbol == NULL, 0)) {
        symbol = dlsym(RTLD_NEXT, name);
        if (symbol == NULL) abort();
        atomic_store_explicit(found, symbol, memory_order_relaxed);
    }
    return symbol;
}

#define WRAP(type, name, parameters, arguments) \
    type name parameters { \
        static _Atomic(void *) found; \
        type(*real) parameters = next_symbol(&found, #name); \
        type result = real arguments; \
        count_result(COUNT_##name, result); \
        return result; \
    }

// The headers of sockets and epoll stay out: their types of addresses are unions that only get in the way.
WRAP(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
WRAP(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
WRAP(ssize_t, readv, (int fd, const void *vector, int n), (fd, vector, n))
WRAP(ssize_t, writev, (int fd, const void *vector, int n), (fd, vector, n))
WRAP(ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
WRAP(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
WRAP(ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))
WRAP(ssize_t, recvfrom, (int fd, void *to, size_t n, int flags, void *a, void *l), (fd, to, n, flags, a, l))
WRAP(ssize_t, recvmsg, (int fd, void *message, int flags), (fd, message, flags))
WRAP(int, recvmmsg, (int fd, void *m, unsigned n, int flags, void *t), (fd, m, n, flags, t))
WRAP(ssize_t, send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))
WRAP(ssize_t, sendto, (int fd, const void *from, size_t n, int flags, const void *a, unsigned l),
     (fd, from, n, flags, a, l))
WRAP(ssize_t, sendmsg, (int fd, const void *message, int flags), (fd, message, flags))
WRAP(int, sendmmsg, (int fd, void *m, unsigned n, int flags), (fd, m, n, flags))
WRAP(ssize_t, sendfile, (int to, int from, off_t *at, size_t n), (to, from, at, n))

WRAP(int, epoll_wait, (int fd, void *events, int n, int timeout), (fd, events, n, timeout))
WRAP(int, epoll_pwait, (int fd, void *events, int n, int timeout, const void *mask), (fd, events, n, timeout, mask))
WRAP(int, epoll_pwait2, (int fd, void *events, int n, const void *timeout, const void *mask),
     (fd, events, n, timeout, mask))
WRAP(int, epoll_ctl, (int fd, int operation, int other, void *event), (fd, operation, other, event))
WRAP(int, poll, (struct pollfd *fds, nfds_t n, int timeout), (fds, n, timeout))
WRAP(int, ppoll, (struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask),
     (fds, n, timeout, mask))
WRAP(int, timerfd_settime, (int fd, int flags, const void *value, void *old), (fd, flags, value, old))
WRAP(int, eventfd_read, (int fd, uint64_t *value), (fd, value))
WRAP(int, eventfd_write, (int fd, uint64_t value), (fd, value))

WRAP(int, accept, (int fd, void *address, void *length), (fd, address, length))
WRAP(int, accept4, (int fd, void *address, void *length, int flags), (fd, address, length, flags))
WRAP(int, bind, (int fd, const void *address, unsigned length), (fd, address, length))
WRAP(int, connect, (int fd, const void *address, unsigned length), (fd, address, length))
WRAP(int, close, (int fd), (fd))
WRAP(int, shutdown, (int fd, int how), (fd, how))
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, unsigned n), (fd, level, name, value, n))
WRAP(int, getsockopt, (int fd, int level, int name, void *value, void *n), (fd, level, name, value, n))
WRAP(int, getsockname, (int fd, void *address, void *length), (fd, address, length))
WRAP(int, getpeername, (int fd, void *address, void *length), (fd, address, length))

// A new descriptor is no amount.
#define WRAP_MAKER(name, parameters, arguments) \
    int name parameters { \
        static _Atomic(void *) found; \
        int(*real) parameters = next_symbol(&found, #name); \
        count(COUNT_##name, 0); \
        return real arguments; \
    }
WRAP_MAKER(socket, (int domain, int type, int protocol), (domain, type, protocol))
WRAP_MAKER(socketpair, (int domain, int type, int protocol, int pair[2]), (domain, type, protocol, pair))

// What follows the fixed arguments is one pointer or integer, or nothing; either way it travels as a word.
int fcntl(int fd, int command, ...) {
    static _Atomic(void *) found;
    int (*real)(int, int, ...) = next_symbol(&found, "fcntl");
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    count(COUNT_fcntl, 0);
    return real(fd, command, argument);
}

int fcntl64(int fd, int command, ...) {
    static _Atomic(void *) found;
    int (*real)(int, int, ...) = next_symbol(&found, "fcntl64");
    va_list rest;
    va_start(rest, command);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    count(COUNT_fcntl, 0);
    return real(fd, command, argument);
}

int ioctl(int fd, unsigned long request, ...) {
    static _Atomic(void *) found;
    int (*real)(int, unsigned long, ...) = next_symbol(&found, "ioctl");
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    count(COUNT_ioctl, 0);
    return real(fd, request, argument);
}

// libdispatch and the Swift runtime make theirs through this, most of all futex.
long syscall(long number, ...) {
    static _Atomic(void *) found;
    long (*real)(long, ...) = next_symbol(&found, "syscall");
    long a[6];
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
    va_end(rest);
    count(number == SYS_futex ? COUNT_futex : COUNT_other_syscall, 0);
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// MARK: threads and clocks

// Their first versions had another layout of the condition; a lookup without a version may find those.
static void *condition_symbol(_Atomic(void *) *found, const char *name) {
    void *symbol = atomic_load_explicit(found, memory_order_relaxed);
    if (symbol != NULL) return symbol;
    symbol = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    if (symbol == NULL) return next_symbol(found, name);
    atomic_store_explicit(found, symbol, memory_order_relaxed);
    return symbol;
}

int pthread_cond_signal(pthread_cond_t *condition) {
    static _Atomic(void *) found;
    int (*real)(pthread_cond_t *) = condition_symbol(&found, "pthread_cond_signal");
    count(COUNT_pthread_cond_signal, 0);
    return real(condition);
}

int pthread_cond_broadcast(pthread_cond_t *condition) {
    static _Atomic(void *) found;
    int (*real)(pthread_cond_t *) = condition_symbol(&found, "pthread_cond_broadcast");
    count(COUNT_pthread_cond_broadcast, 0);
    return real(condition);
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
    static _Atomic(void *) found;
    int (*real)(pthread_mutex_t *) = next_symbol(&found, "pthread_mutex_lock");
    count(COUNT_pthread_mutex_lock, 0);
    return real(mutex);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static _Atomic(void *) found;
    int (*real)(clockid_t, struct timespec *) = next_symbol(&found, "clock_gettime");
    count(COUNT_clock_gettime, 0);
    return real(clock, time);
}
