// simdjson On-Demand behind a C interface: reads what the gateway decides on in a request.
#ifndef SLUICE_CSIMDJSON_H
#define SLUICE_CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Bytes that must be readable (their content is ignored) behind every document.
#define CSIMDJSON_PADDING 64

typedef struct csimdjson_parser csimdjson_parser;

csimdjson_parser *csimdjson_parser_new(void);
void csimdjson_parser_free(csimdjson_parser *parser);

enum csimdjson_result {
    CSIMDJSON_OK = 0,
    CSIMDJSON_INVALID = 1,          // not JSON, or not an object
    CSIMDJSON_DUPLICATE_MODEL = 2,  // `model` stands more than once: readers would disagree
    CSIMDJSON_MODEL_NOT_STRING = 3,
    CSIMDJSON_NO_MEMORY = 4,
    CSIMDJSON_NOT_UTF8 = 5,
};

/// Where a value stands in the document; a string with its quotes.
typedef struct {
    size_t offset;
    size_t length;
} csimdjson_range;

/// What stands in a place where a certain kind of value is expected.
enum csimdjson_presence {
    CSIMDJSON_ABSENT = 0,
    CSIMDJSON_NULL = 1,
    CSIMDJSON_TRUE = 2,
    CSIMDJSON_FALSE = 3,
    CSIMDJSON_EMPTY_OBJECT = 4,
    CSIMDJSON_OBJECT = 5,
    CSIMDJSON_OTHER = 6,
};

/// How much there is to read for a model, by kind.
typedef struct {
    /// Bytes of texts: ASCII, other characters, and long runs of base64 or hexadecimal digits.
    uint64_t ascii;
    uint64_t wide;
    uint64_t dense;
    /// Numbers in `input` or `prompt`, which are tokens already.
    uint64_t tokens;
    /// Messages, input items and instructions.
    uint64_t messages;
    uint64_t images;
    uint64_t audios;
    uint64_t files;
} csimdjson_content;

/// What a request says about itself in its JSON body.
typedef struct {
    bool has_model;
    csimdjson_range model_range;
    /// The value of `model`, unescaped; lives in the parser until its next use.
    const char *model;
    size_t model_bytes;
    /// `"stream": true`
    bool stream;
    csimdjson_range stream_range;
    enum csimdjson_presence stream_options;
    csimdjson_range stream_options_range;
    enum csimdjson_presence include_usage;
    csimdjson_range include_usage_range;
    /// `stream`, `stream_options` or `include_usage` stands more than once: readers would disagree.
    bool is_ambiguous;
    bool has_data_sources;
    /// The largest of `max_tokens`, `max_completion_tokens` and `max_output_tokens`; 0 where none is a positive number.
    uint64_t max_output;
    /// The largest of `n` and `best_of`; 0 where neither is a positive number.
    uint64_t choices;
    csimdjson_content content;
} csimdjson_request;

/// Numbers of a request beyond this are taken for it.
#define CSIMDJSON_LARGEST_NUMBER 10000000000ull

/// Objects and arrays within each other that are looked into; what is deeper counts as text.
#define CSIMDJSON_MOST_LEVELS 12

/// Reads a JSON object of `length` bytes, behind which CSIMDJSON_PADDING more are readable.
enum csimdjson_result csimdjson_read_request(csimdjson_parser *parser, const char *json, size_t length,
                                             csimdjson_request *request);

#ifdef __cplusplus
}
#endif
#endif
