// What libcurl and OpenSSL ask for again and again, answered with less work: memory on an event loop's thread, and an error
// queue to be emptied that is empty (docs/decisions/0014-memory-of-guests.md).
//
// OpenSSL gets its memory from here from the start of the process on; libcurl where `cguests_pool_*` are handed to
// `curl_global_init_mem`. On a thread that has called `cguests_pool_join`, a block that is freed is kept for the next
// allocation of its size. A block may be freed on another thread than the one that asked for it, and to every other function
// it is the C library's.
//
// `ERR_clear_error` takes the place of OpenSSL's, for all that call it in this process.
#ifndef SLUICE_CGUESTS_H
#define SLUICE_CGUESTS_H

#include <stddef.h>

// Keeps freed blocks of the calling thread, at most `cguests_pool_most_kept()` bytes of them, until as many calls of
// `cguests_pool_leave` as there were of this. Without memory, and under a sanitizer, nothing is kept.
void cguests_pool_join(void);
void cguests_pool_leave(void);

// What the calling thread keeps now, and what a thread keeps at most, in bytes: some 4 MiB, or 0 under a sanitizer.
size_t cguests_pool_kept(void);
size_t cguests_pool_most_kept(void);

// As `malloc`, `calloc`, `realloc`, `free` and `strdup`, in the forms that libcurl calls.
void *cguests_pool_malloc(size_t size);
void *cguests_pool_calloc(size_t count, size_t size);
void *cguests_pool_realloc(void *block, size_t size);
void cguests_pool_free(void *block);
char *cguests_pool_strdup(const char *text);

#endif
