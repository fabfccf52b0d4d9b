#include "CJSONScan.h"

// What is in 64 bytes, a bit for each of them.
struct block {
    cjsonscan_bytes parts[4];
};

#define MASK_OF(block, part, condition)                                                                                \
    ({                                                                                                                 \
        uint64_t mask_ = 0;                                                                                            \
        for (int index_ = 3; index_ >= 0; index_--) {                                                                  \
            cjsonscan_bytes part = (block).parts[index_];                                                              \
            mask_ = mask_ << 16 | cjsonscan_mask((cjsonscan_bytes)(condition));                                        \
        }                                                                                                              \
        mask_;                                                                                                         \
    })

static bool has(const struct block *block, uint8_t byte) {
    cjsonscan_bytes hits = {0};
    for (int index = 0; index < 4; index++) hits |= (cjsonscan_bytes)(block->parts[index] == byte);
    return cjsonscan_mask(hits) != 0;
}

// Each bit becomes the parity of itself and those below it: between quotes it is 1.
static uint64_t parities(uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
}

// The marks of a block one by one. Returns the number of bytes up to the last bracket, or 0.
//
// A backslash escapes in a string only: in what is no JSON, it may stand elsewhere.
static size_t skip_marks(uint64_t quotes, uint64_t backslashes, uint64_t opening, uint64_t closing, size_t length,
                         cjsonscan_nest *nest) {
    uint64_t marks = quotes | backslashes | opening | closing;
    if (nest->is_escaped) marks &= ~UINT64_C(1);
    nest->is_escaped = false;
    while (marks != 0) {
        size_t index = (size_t)__builtin_ctzll(marks);
        uint64_t mark = UINT64_C(1) << index;
        marks &= ~mark;
        if (quotes & mark) {
            nest->in_string = !nest->in_string;
        } else if (nest->in_string) {
            if (!(backslashes & mark)) continue;
            if (index == length - 1) nest->is_escaped = true;
            marks &= ~(mark << 1);
        } else if (opening & mark) {
            nest->open++;
        } else if (closing & mark && --nest->open == 0) {
            return index + 1;
        }
    }
    return 0;
}

size_t cjsonscan_skip(const void *json, size_t at, size_t count, cjsonscan_nest *nest) {
    const uint8_t *bytes = json;
    // Many are empty.
    if (at < count && nest->open == 1 && !nest->in_string && (bytes[at] | 0x20) == '}') {
        nest->open = 0;
        return at + 1;
    }
    size_t length;
    for (; at < count; at += length) {
        uint8_t last[64];
        const uint8_t *from = bytes + at;
        length = count - at;
        if (length < sizeof last) {
            __builtin_memset(last, 0, sizeof last);
            __builtin_memcpy(last, from, length);
            from = last;
        } else {
            length = sizeof last;
        }
        struct block block;
        for (int index = 0; index < 4; index++) block.parts[index] = cjsonscan_load(from + 16 * index);
        uint64_t quotes = MASK_OF(block, part, part == (uint8_t)'"');
        uint64_t backslashes = has(&block, '\\') ? MASK_OF(block, part, part == (uint8_t)'\\') : 0;
        if (nest->in_string && (quotes | backslashes) == 0) {
            nest->is_escaped = false;
            continue;
        }
        // "[" and "{", "]" and "}" differ in one bit.
        if (backslashes != 0 || nest->is_escaped) {
            uint64_t opening = MASK_OF(block, part, (part | (uint8_t)0x20) == (uint8_t)'{');
            uint64_t closing = MASK_OF(block, part, (part | (uint8_t)0x20) == (uint8_t)'}');
            size_t end = skip_marks(quotes, backslashes, opening, closing, length, nest);
            if (end > 0) return at + end;
            continue;
        }
        uint64_t strings = parities(quotes) ^ -(uint64_t)nest->in_string;
        uint64_t brackets = MASK_OF(block, part,
                                    ((part | (uint8_t)0x20) == (uint8_t)'{') | ((part | (uint8_t)0x20) == (uint8_t)'}'));
        for (brackets &= ~strings; brackets != 0; brackets &= brackets - 1) {
            size_t index = (size_t)__builtin_ctzll(brackets);
            if ((from[index] | 0x20) == '{') {
                nest->open++;
            } else if (--nest->open == 0) {
                nest->in_string = false;
                return at + index + 1;
            }
        }
        nest->in_string = strings >> 63;
    }
    return count;
}

static cjsonscan_bytes sames(const uint8_t *bytes, const uint8_t *others) {
    return (cjsonscan_bytes)(cjsonscan_load(bytes) == cjsonscan_load(others));
}

static const uint32_t all = 0xFFFF;

size_t cjsonscan_same(const void *text, const void *other, size_t count) {
    const uint8_t *bytes = text;
    const uint8_t *others = other;
    size_t at = 0;
    for (; at + 64 <= count; at += 64) {
        const uint8_t *part = bytes + at;
        const uint8_t *other_part = others + at;
        uint32_t same = cjsonscan_mask(sames(part, other_part) & sames(part + 16, other_part + 16)
                                       & sames(part + 32, other_part + 32) & sames(part + 48, other_part + 48));
        if (same != all) break;
    }
    for (; at + 16 <= count; at += 16) {
        uint32_t same = cjsonscan_mask(sames(bytes + at, others + at));
        if (same != all) return at + (size_t)__builtin_ctz(~same);
    }
    if (at == count) return count;
    if (count >= 16) {
        // The last sixteen again: those of them that were seen are the same.
        uint32_t same = cjsonscan_mask(sames(bytes + count - 16, others + count - 16));
        return same != all ? count - 16 + (size_t)__builtin_ctz(~same) : count;
    }
    while (at < count && bytes[at] == others[at]) at++;
    return at;
}

static bool is_plain(cjsonscan_bytes bytes) {
    // Less than a blank wraps around.
    cjsonscan_bytes hits = (cjsonscan_bytes)(bytes - (uint8_t)' ' >= (uint8_t)(0x7F - ' '));
    hits |= (cjsonscan_bytes)(bytes == (uint8_t)'"') | (cjsonscan_bytes)(bytes == (uint8_t)'\\');
    return cjsonscan_mask(hits) == 0;
}

bool cjsonscan_is_plain(const void *text, size_t count) {
    const uint8_t *bytes = text;
    if (count < 16) {
        for (size_t at = 0; at < count; at++) {
            if (bytes[at] < ' ' || bytes[at] >= 0x7F || bytes[at] == '"' || bytes[at] == '\\') return false;
        }
        return true;
    }
    for (size_t at = 0; at + 16 < count; at += 16) {
        if (!is_plain(cjsonscan_load(bytes + at))) return false;
    }
    return is_plain(cjsonscan_load(bytes + count - 16));
}
