// simdjson On-Demand behind a C interface: reads the few members of a request that the gateway decides on.
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

/// What a request says about itself at the top level of its JSON body.
typedef struct {
    bool has_model;
    /// The value of `model` in the document as it stands there, quotes included.
    size_t model_offset;
    size_t model_length;
    /// The value of `model`, unescaped; lives in the parser until its next use.
    const char *model;
    size_t model_bytes;
    /// `"stream": true`
    bool stream;
} csimdjson_request;

/// Reads the top level of a JSON object of `length` bytes, behind which CSIMDJSON_PADDING more are readable.
enum csimdjson_result csimdjson_read_request(csimdjson_parser *parser, const char *json, size_t length,
                                             csimdjson_request *request);

#ifdef __cplusplus
}
#endif
#endif
