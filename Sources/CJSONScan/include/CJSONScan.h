// Looks through JSON many bytes at a time, for what is passed over rather than read (`AnswerJSON`).
//
// Clang's vectors, so that it is one source for every processor: SSE2 on x86-64, NEON on arm64. No function reads outside of
// the bytes that it is given.
#ifndef SLUICE_CJSONSCAN_H
#define SLUICE_CJSONSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t cjsonscan_bytes __attribute__((ext_vector_type(16)));
typedef bool cjsonscan_bits __attribute__((ext_vector_type(16)));

static inline __attribute__((always_inline)) cjsonscan_bytes cjsonscan_load(const uint8_t *bytes) {
    cjsonscan_bytes loaded;
    __builtin_memcpy(&loaded, bytes, sizeof loaded);
    return loaded;
}

// A bit for each byte that is not zero, the first byte's the lowest. Each byte is 0 or 0xFF.
static inline __attribute__((always_inline)) uint32_t cjsonscan_mask(cjsonscan_bytes hits) {
    return __builtin_bit_cast(uint16_t, __builtin_convertvector(hits, cjsonscan_bits));
}

static inline __attribute__((always_inline)) uint32_t cjsonscan_ends(const uint8_t *bytes, bool and_controls) {
    cjsonscan_bytes loaded = cjsonscan_load(bytes);
    cjsonscan_bytes hits = (cjsonscan_bytes)(loaded == (uint8_t)'"') | (cjsonscan_bytes)(loaded == (uint8_t)'\\');
    if (and_controls) hits |= (cjsonscan_bytes)(loaded < (uint8_t)0x20);
    return cjsonscan_mask(hits);
}

static inline __attribute__((always_inline)) size_t cjsonscan_find(const uint8_t *bytes, size_t at, size_t count,
                                                                   bool and_controls) {
    for (; at + 16 <= count; at += 16) {
        uint32_t ends = cjsonscan_ends(bytes + at, and_controls);
        if (ends != 0) return at + (size_t)__builtin_ctz(ends);
    }
    if (at >= count) return count;
    if (count >= 16) {
        // The last sixteen bytes, less those of them that were seen.
        uint32_t ends = cjsonscan_ends(bytes + count - 16, and_controls) >> (at + 16 - count);
        return ends != 0 ? at + (size_t)__builtin_ctz(ends) : count;
    }
    for (; at < count; at++) {
        if (bytes[at] == '"' || bytes[at] == '\\' || (and_controls && bytes[at] < 0x20)) break;
    }
    return at;
}

// Index of the next quote or backslash from `at` on, or `count`.
static inline size_t cjsonscan_quote(const void *bytes, size_t at, size_t count) {
    return cjsonscan_find((const uint8_t *)bytes, at, count, false);
}

// Index of the next quote, backslash or control character from `at` on, or `count`.
static inline size_t cjsonscan_plain_end(const void *bytes, size_t at, size_t count) {
    return cjsonscan_find((const uint8_t *)bytes, at, count, true);
}

// All bytes may stand in a JSON string as they are, and are printable ASCII.
bool cjsonscan_is_plain(const void *bytes, size_t count);

// How many of the first bytes of two texts are the same, at most `count`.
size_t cjsonscan_same(const void *bytes, const void *others, size_t count);

// Where a text stands within an object or array that is skipped, between its pieces.
typedef struct {
    // Brackets that are open. Which of the two kinds closes one makes no difference.
    size_t open;
    bool in_string;
    // In a string, behind a backslash.
    bool is_escaped;
} cjsonscan_nest;

// Skips the rest of an object or array. Returns the index behind the bracket that closes the last open one, and
// `nest->open` is 0 then; or `count`, where that bracket is still to come. `nest->open` is not 0 before.
size_t cjsonscan_skip(const void *bytes, size_t at, size_t count, cjsonscan_nest *nest);

#endif
