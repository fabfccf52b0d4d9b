// Glibc's module leaves out epoll, eventfd and what is behind _GNU_SOURCE; this is all of them that Sluice needs.
#ifndef SLUICE_CEPOLL_H
#define SLUICE_CEPOLL_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

// Enumerators and macros as plain constants: Swift sees them with one type.
static const uint32_t CEPOLL_IN = EPOLLIN;
static const uint32_t CEPOLL_OUT = EPOLLOUT;
static const uint32_t CEPOLL_ERR = EPOLLERR;
static const uint32_t CEPOLL_HUP = EPOLLHUP;
static const uint32_t CEPOLL_ONESHOT = EPOLLONESHOT;
static const int32_t CEPOLL_CTL_ADD = EPOLL_CTL_ADD;
static const int32_t CEPOLL_CTL_MOD = EPOLL_CTL_MOD;
static const int32_t CEPOLL_CTL_DEL = EPOLL_CTL_DEL;
static const int32_t CEPOLL_CLOEXEC = EPOLL_CLOEXEC;
static const int32_t CEPOLL_EVENTFD_CLOEXEC = EFD_CLOEXEC;

// Names the calling thread for ps, perf and core files; at most 15 characters are kept.
static inline void cepoll_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

#endif
