// Sorts the bytes of a text by how many of them make a token. Internal to CSimdjson.
#ifndef SLUICE_TEXT_CLASSES_H
#define SLUICE_TEXT_CLASSES_H

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace text_classes {

/// Base64 and hexadecimal digits in a row that are no word any more: a tokenizer finds little in them to merge.
constexpr size_t shortest_dense_run = 64;

struct Bytes {
    /// ASCII, as many as there are once JSON's escapes are undone.
    uint64_t ascii = 0;
    /// Of other characters, in UTF-8.
    uint64_t wide = 0;
    /// Of long runs of base64 or hexadecimal digits.
    uint64_t dense = 0;
};

constexpr std::array<bool, 256> base64_alphabet() {
    std::array<bool, 256> table{};
    for (int byte = 'A'; byte <= 'Z'; byte++) table[byte] = table[byte + 32] = true;
    for (int byte = '0'; byte <= '9'; byte++) table[byte] = true;
    for (int byte : {'+', '/', '-', '_', '='}) table[byte] = true;
    return table;
}

/// Counts one text as it stands in JSON, sixteen bytes at a time.
class Counter {
    /// One compare for all of them, on every processor that has vectors.
    typedef uint8_t Block __attribute__((vector_size(16)));
    typedef uint64_t Halves __attribute__((vector_size(16)));

    static constexpr size_t block = sizeof(Block);
    /// A dense run has at least so many whole blocks in it.
    static constexpr size_t fewest_blocks = shortest_dense_run / block - 1;

    const char *const begin;
    const char *const end;
    /// Behind the last escape.
    const char *escaped;
    uint64_t wide = 0, dense = 0;
    /// Bytes that stand in the JSON and not in the text.
    uint64_t removed = 0;

    Counter(std::string_view text) : begin(text.data()), end(text.data() + text.size()), escaped(begin) {}

    static bool is_break(char byte) { return byte == ' ' || byte == '\\' || (byte & 0x80) != 0; }

    /// Adds the dense runs that lie in `from ..< to`, where no block has a break, and those that reach out of it.
    void add_runs(const char *from, const char *to) {
        static constexpr std::array<bool, 256> alphabet = base64_alphabet();
        while (from > begin && !is_break(from[-1])) from--;
        if (from < escaped) from = escaped;
        while (to < end && !is_break(*to)) to++;
        const char *run = from;
        for (const char *at = from; at <= to; at++) {
            if (at < to && alphabet[static_cast<uint8_t>(*at)]) continue;
            if (static_cast<size_t>(at - run) >= shortest_dense_run) dense += static_cast<uint64_t>(at - run);
            run = at + 1;
        }
    }

    static unsigned hex_value(const char *digits) {
        unsigned value = 0;
        for (int index = 0; index < 4; index++) {
            unsigned digit = static_cast<uint8_t>(digits[index]);
            value = value << 4 | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }
        return value & 0xFFFF;
    }

    /// - Parameter backslashes: a byte 0xFF for each backslash of the eight bytes at `at`.
    void add_escapes(uint64_t backslashes, const char *at) {
        for (; backslashes != 0; backslashes &= ~(0xFFull << (__builtin_ctzll(backslashes) & ~7))) {
            const char *escape = at + (__builtin_ctzll(backslashes) >> 3);
            if (escape < escaped) continue;  // the second of two backslashes
            if (escape[1] != 'u') {
                escaped = escape + 2;
                removed += 1;
                continue;
            }
            // Four digits of a broken escape may lie behind the text; they are readable and harm nobody.
            escaped = escape + 6;
            if (const unsigned value = hex_value(escape + 2); value < 0x80) {
                removed += 5;
            } else {
                removed += 6;  // half of a surrogate pair makes two of the pair's four bytes
                wide += value < 0x800 || (value & 0xF800) == 0xD800 ? 2 : 3;
            }
        }
    }

    void run(Bytes &bytes) {
        uint64_t raw_wide = 0;
        size_t plain = 0;  // blocks without a break before this one
        for (const char *at = begin; at < end; at += block) {
            Block bytes16;
            if (static_cast<size_t>(end - at) >= block) {
                std::memcpy(&bytes16, at, block);
            } else {
                std::memset(&bytes16, ' ', block);
                std::memcpy(&bytes16, at, static_cast<size_t>(end - at));
            }
            const Halves high = reinterpret_cast<Halves>(bytes16 >> 7);
            const Halves backslashes = reinterpret_cast<Halves>(bytes16 == '\\');
            const Halves breaks = high | backslashes | reinterpret_cast<Halves>(bytes16 == ' ');
            if ((breaks[0] | breaks[1]) == 0) {
                plain++;
                continue;
            }
            if (plain >= fewest_blocks) add_runs(at - plain * block, at);
            plain = 0;
            const Halves special = high | backslashes;
            if ((special[0] | special[1]) == 0) continue;
            // Bytes of 1, of which no sum exceeds sixteen.
            raw_wide += (high[0] + high[1]) * 0x0101010101010101ull >> 56;
            if (backslashes[0] != 0) add_escapes(backslashes[0], at);
            if (backslashes[1] != 0) add_escapes(backslashes[1], at + 8);
        }
        if (plain >= fewest_blocks) add_runs(end - plain * block, end);
        const uint64_t size = static_cast<uint64_t>(end - begin);
        const uint64_t taken = raw_wide + removed + dense;
        bytes.ascii += size > taken ? size - taken : 0;
        bytes.wide += raw_wide + wide;
        bytes.dense += dense;
    }

public:
    static void count(std::string_view text, Bytes &bytes) { Counter(text).run(bytes); }
};

} // namespace text_classes

#endif
