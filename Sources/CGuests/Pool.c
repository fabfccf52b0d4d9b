#define _GNU_SOURCE
#include "CGuests.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define KEEPS_NOTHING 1
#endif
#endif

// Classes are what a block can hold. Small ones are the C library's own (malloc.c: chunks of 16 bytes' steps, 8 of which are its
// header), so a pool wastes nothing; above, four for each doubling.
enum {
    small_classes = 64,
    large_classes = 20,
    class_count = small_classes + large_classes,
    // What a class keeps: as many bytes, or as many blocks, whichever is more. A turn of the loop ends 16 transfers at most.
    kept_bytes = 16 * 1024,
    kept_blocks = 16,
};

static const size_t largest_small = small_classes * 16 + 8;
static const size_t largest = 32 * 1024;

struct block {
    struct block *next;
};

struct pool {
    int joined;
    struct {
        struct block *first;
        unsigned count;
    } classes[class_count];
};

static __thread struct pool *pool;

// Bytes that every block of a class can hold.
static size_t size_of(unsigned class) {
    if (class < small_classes) return class * 16 + 24;
    unsigned step = class - small_classes + 1;
    return (size_t)(4 + step % 4) << (8 + step / 4);
}

static unsigned most_of(unsigned class) {
    size_t count = kept_bytes / size_of(class);
    return count > kept_blocks ? (unsigned)count : kept_blocks;
}

// The first class whose blocks can hold `size` bytes, at most `largest`.
static unsigned class_to_hold(size_t size) {
    if (size <= 24) return 0;
    if (size <= largest_small) return (unsigned)((size - 24 + 15) / 16);
    unsigned exponent = 63 - (unsigned)__builtin_clzl(size - 1);
    return small_classes + (exponent - 10) * 4 + (unsigned)((size - 1) >> (exponent - 2) & 3);
}

// The last class whose blocks hold no more than `usable` bytes; `class_count` where a block is too large, or, as another allocator in
// the C library's place may give them, too small.
static unsigned class_of(size_t usable) {
    if (usable < size_of(0)) return class_count;
    if (usable <= largest_small) {
        unsigned class = (unsigned)((usable - 24) / 16);
        return class < small_classes ? class : small_classes - 1;
    }
    unsigned exponent = 63 - (unsigned)__builtin_clzl(usable);
    unsigned step = (exponent - 10) * 4 + (unsigned)(usable >> (exponent - 2) & 3);
    if (step == 0) return small_classes - 1;
    return step <= large_classes ? small_classes - 1 + step : class_count;
}

static struct block *take(unsigned class) {
    struct block *block = pool->classes[class].first;
    if (block == NULL) return NULL;
    pool->classes[class].first = block->next;
    pool->classes[class].count--;
    return block;
}

void *cguests_pool_malloc(size_t size) {
    if (pool == NULL || size > largest) return malloc(size);
    unsigned class = class_to_hold(size);
    struct block *block = take(class);
    return block != NULL ? block : malloc(size_of(class));
}

void *cguests_pool_calloc(size_t count, size_t size) {
    size_t bytes;
    // Too much for a `size_t` is the C library's to refuse; of much it has pages that are zero already.
    if (pool == NULL || __builtin_mul_overflow(count, size, &bytes) || bytes > largest) return calloc(count, size);
    void *block = cguests_pool_malloc(bytes);
    return block == NULL ? NULL : memset(block, 0, bytes);
}

void cguests_pool_free(void *block) {
    if (block == NULL) return;
    if (pool == NULL) return free(block);
    unsigned class = class_of(malloc_usable_size(block));
    if (class == class_count || pool->classes[class].count >= most_of(class)) return free(block);
    ((struct block *)block)->next = pool->classes[class].first;
    pool->classes[class].first = block;
    pool->classes[class].count++;
}

void *cguests_pool_realloc(void *block, size_t size) {
    if (block == NULL) return cguests_pool_malloc(size);
    size_t usable = malloc_usable_size(block);
    if (pool == NULL || size == 0 || usable > largest) return realloc(block, size);
    if (size <= usable && size >= usable / 2) return block;
    void *other = cguests_pool_malloc(size);
    if (other == NULL) return NULL;
    memcpy(other, block, size < usable ? size : usable);
    cguests_pool_free(block);
    return other;
}

char *cguests_pool_strdup(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = cguests_pool_malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void cguests_pool_join(void) {
#ifndef KEEPS_NOTHING
    if (pool == NULL) pool = calloc(1, sizeof *pool);
    if (pool != NULL) pool->joined++;
#endif
}

void cguests_pool_leave(void) {
    if (pool == NULL || --pool->joined > 0) return;
    for (unsigned class = 0; class < class_count; class++) {
        for (struct block *block; (block = take(class)) != NULL;) free(block);
    }
    free(pool);
    pool = NULL;
}

size_t cguests_pool_kept(void) {
    size_t kept = 0;
    for (unsigned class = 0; pool != NULL && class < class_count; class++) {
        kept += pool->classes[class].count * size_of(class);
    }
    return kept;
}

size_t cguests_pool_most_kept(void) {
    size_t most = 0;
#ifndef KEEPS_NOTHING
    for (unsigned class = 0; class < class_count; class++) most += most_of(class) * size_of(class);
#endif
    return most;
}

// MARK: OpenSSL

static void *openssl_malloc(size_t size, const char *file, int line) {
    (void)file, (void)line;
    return size == 0 ? NULL : cguests_pool_malloc(size);
}

static void *openssl_realloc(void *block, size_t size, const char *file, int line) {
    (void)file, (void)line;
    if (size != 0) return cguests_pool_realloc(block, size);
    cguests_pool_free(block);
    return NULL;
}

static void openssl_free(void *block, const char *file, int line) {
    (void)file, (void)line;
    cguests_pool_free(block);
}

// OpenSSL takes functions for its memory only as long as it has none. Where it has some, it keeps the C library's, which are as right.
__attribute__((constructor)) static void supply_openssl(void) {
    CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
}
