#include "CSimdjson.h"

#include <memory>
#include <new>
#include <simdjson.h>
#include <string_view>
#include <utility>

using namespace simdjson;

static_assert(CSIMDJSON_PADDING >= SIMDJSON_PADDING, "the callers' padding is too short for this simdjson");

// A parser keeps buffers of about six bytes per byte of its largest document; above this they are given back.
static constexpr size_t kept_capacity = 1 << 20;

struct csimdjson_parser {
    std::unique_ptr<ondemand::parser> parser = std::make_unique<ondemand::parser>();
};

extern "C" csimdjson_parser *csimdjson_parser_new(void) { return new (std::nothrow) csimdjson_parser; }

extern "C" void csimdjson_parser_free(csimdjson_parser *parser) { delete parser; }

static csimdjson_result result_of(error_code error) {
    switch (error) {
    case SUCCESS: return CSIMDJSON_OK;
    case MEMALLOC: return CSIMDJSON_NO_MEMORY;
    case UTF8_ERROR: return CSIMDJSON_NOT_UTF8;
    default: return CSIMDJSON_INVALID;
    }
}

static csimdjson_result read_fields(ondemand::object &object, const char *json, csimdjson_request *request) {
    for (auto element : object) {
        ondemand::field field;
        if (auto error = std::move(element).get(field)) return result_of(error);
        std::string_view key;
        if (auto error = field.unescaped_key().get(key)) return result_of(error);
        if (key == "model") {
            if (request->has_model) return CSIMDJSON_DUPLICATE_MODEL;
            ondemand::json_type type;
            if (auto error = field.value().type().get(type)) return result_of(error);
            if (type != ondemand::json_type::string) return CSIMDJSON_MODEL_NOT_STRING;
            std::string_view raw = field.value().raw_json_token();
            while (!raw.empty() && raw.back() != '"') raw.remove_suffix(1);  // the token carries trailing white space
            request->model_offset = static_cast<size_t>(raw.data() - json);
            request->model_length = raw.size();
            std::string_view model;
            if (auto error = field.value().get_string().get(model)) return result_of(error);
            request->has_model = true;
            request->model = model.data();
            request->model_bytes = model.size();
        } else if (key == "stream") {
            bool stream = false;
            if (field.value().get_bool().get(stream) == SUCCESS) request->stream = stream;
        }
    }
    return CSIMDJSON_OK;
}

extern "C" enum csimdjson_result csimdjson_read_request(csimdjson_parser *holder, const char *json, size_t length,
                                                        csimdjson_request *request) {
    *request = csimdjson_request{};
    try {
        if (!holder->parser || (holder->parser->capacity() > kept_capacity && length <= kept_capacity)) {
            holder->parser = std::make_unique<ondemand::parser>();
        }
        ondemand::document document;
        if (auto error = holder->parser->iterate(json, length, length + CSIMDJSON_PADDING).get(document)) {
            return result_of(error);
        }
        ondemand::object object;
        if (auto error = document.get_object().get(object)) return result_of(error);
        auto result = read_fields(object, json, request);
        if (result != CSIMDJSON_OK) return result;
        // Nothing may follow the object: what a second reader makes of it would not be ours to say.
        const char *rest;
        if (document.current_location().get(rest) != OUT_OF_BOUNDS) return CSIMDJSON_INVALID;
        return CSIMDJSON_OK;
    } catch (const std::bad_alloc &) {
        return CSIMDJSON_NO_MEMORY;
    } catch (...) {
        return CSIMDJSON_INVALID;
    }
}
