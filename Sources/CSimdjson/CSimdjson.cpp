#include "CSimdjson.h"
#include "TextClasses.h"

#include <initializer_list>
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

// MARK: what there is to read for a model

/// Leaves a function with the error of an expression, if it has one.
#define RETURN_ERROR(expression)                                                                                       \
    if (error_code error_ = (expression)) return error_

/// A value's text in the document, without the white space that simdjson leaves behind a token.
static std::string_view trimmed(std::string_view token) {
    while (!token.empty() && static_cast<uint8_t>(token.back()) <= ' ') token.remove_suffix(1);
    return token;
}

static void count_text(std::string_view text, csimdjson_content &content) {
    text_classes::Bytes bytes;
    text_classes::Counter::count(text, bytes);
    content.ascii += bytes.ascii;
    content.wide += bytes.wide;
    content.dense += bytes.dense;
}

static bool is_one_of(std::string_view key, std::initializer_list<std::string_view> names) {
    for (auto name : names) {
        if (key == name) return true;
    }
    return false;
}

/// The text of an object or array, from bracket to bracket; it counts as read.
static error_code raw_json(ondemand::value value, ondemand::json_type type, std::string_view &raw) {
    if (type == ondemand::json_type::object) {
        ondemand::object object;
        RETURN_ERROR(value.get_object().get(object));
        return object.raw_json().get(raw);
    }
    ondemand::array array;
    RETURN_ERROR(value.get_array().get(array));
    return array.raw_json().get(raw);
}

/// Counts a value as one text, brackets and names included: a schema is shown to the model more or less as it stands.
static error_code count_raw(ondemand::value value, csimdjson_content &content) {
    ondemand::json_type type;
    RETURN_ERROR(value.type().get(type));
    std::string_view raw;
    if (type == ondemand::json_type::object || type == ondemand::json_type::array) {
        RETURN_ERROR(raw_json(value, type, raw));
    } else {
        raw = trimmed(value.raw_json_token());
    }
    count_text(trimmed(raw), content);
    return SUCCESS;
}

/// Counts all texts in a value but those that no model reads as such.
static error_code count_value(ondemand::value value, csimdjson_content &content, int level);

static error_code count_member(std::string_view key, ondemand::value value, csimdjson_content &content, int level) {
    // Names of things, not text for the model; the overhead of a message covers its role.
    if (is_one_of(key, {"type", "role", "id", "call_id", "tool_call_id", "status", "detail", "b64_json"})) return SUCCESS;
    if (is_one_of(key, {"image_url", "result"})) {  // `result`: the image of an image_generation_call
        content.images++;
    } else if (key == "input_audio") {
        content.audios++;
    } else if (is_one_of(key, {"file_data", "file_id", "file_url"})) {
        content.files++;
    } else if (key == "encrypted_content") {  // base64, but as many tokens as the thoughts in it
        content.ascii += trimmed(value.raw_json_token()).size();
    } else {
        return count_value(value, content, level);
    }
    return SUCCESS;
}

static error_code count_value(ondemand::value value, csimdjson_content &content, int level) {
    ondemand::json_type type;
    RETURN_ERROR(value.type().get(type));
    switch (type) {
    case ondemand::json_type::string: {
        auto text = trimmed(value.raw_json_token());
        if (text.size() < 2) return STRING_ERROR;
        text = text.substr(1, text.size() - 2);
        if (text.substr(0, 5) != "data:") count_text(text, content);
        return SUCCESS;
    }
    case ondemand::json_type::number: content.tokens++; return SUCCESS;
    case ondemand::json_type::array:
    case ondemand::json_type::object:
        if (level > CSIMDJSON_MOST_LEVELS) {
            std::string_view raw;
            RETURN_ERROR(raw_json(value, type, raw));
            content.ascii += raw.size();
            return SUCCESS;
        }
        if (type == ondemand::json_type::array) {
            ondemand::array array;
            RETURN_ERROR(value.get_array().get(array));
            for (auto element : array) {
                ondemand::value item;
                RETURN_ERROR(std::move(element).get(item));
                RETURN_ERROR(count_value(item, content, level + 1));
            }
        } else {
            ondemand::object object;
            RETURN_ERROR(value.get_object().get(object));
            for (auto element : object) {
                ondemand::field field;
                RETURN_ERROR(std::move(element).get(field));
                std::string_view key;
                RETURN_ERROR(field.unescaped_key().get(key));
                RETURN_ERROR(count_member(key, field.value(), content, level + 1));
            }
        }
        return SUCCESS;
    default: return SUCCESS;
    }
}

/// `messages`, `input`, `prompt`: a text, tokens, or a list of messages, items, texts or tokens.
static error_code count_prompt(ondemand::value value, csimdjson_content &content) {
    ondemand::json_type type;
    RETURN_ERROR(value.type().get(type));
    if (type == ondemand::json_type::null) return SUCCESS;
    if (type != ondemand::json_type::array) {
        content.messages++;
        return count_value(value, content, 1);
    }
    ondemand::array array;
    RETURN_ERROR(value.get_array().get(array));
    for (auto element : array) {
        ondemand::value item;
        RETURN_ERROR(std::move(element).get(item));
        RETURN_ERROR(item.type().get(type));
        if (type == ondemand::json_type::object) content.messages++;
        RETURN_ERROR(count_value(item, content, 2));
    }
    return SUCCESS;
}

// MARK: what it asks for

static csimdjson_range range_of(std::string_view token, const char *json) {
    return {static_cast<size_t>(token.data() - json), token.size()};
}

/// Raises `number` to a value that is larger; what is not a number is for Azure to refuse.
static error_code raise(ondemand::value value, uint64_t &number) {
    ondemand::json_type type;
    RETURN_ERROR(value.type().get(type));
    if (type != ondemand::json_type::number) return SUCCESS;
    double found;
    // Exact far beyond the largest number; what is too large for a double is an error of the document.
    RETURN_ERROR(value.get_double().get(found));
    if (found >= static_cast<double>(CSIMDJSON_LARGEST_NUMBER)) {
        number = CSIMDJSON_LARGEST_NUMBER;
    } else if (found > static_cast<double>(number)) {
        number = static_cast<uint64_t>(found);
    }
    return SUCCESS;
}

static error_code read_model(ondemand::value value, const char *json, csimdjson_request &request) {
    request.model_range = range_of(trimmed(value.raw_json_token()), json);
    std::string_view model;
    RETURN_ERROR(value.get_string().get(model));
    request.has_model = true;
    request.model = model.data();
    request.model_bytes = model.size();
    return SUCCESS;
}

/// What a value is, where true, false, null or an object is expected.
static error_code presence_of(ondemand::value value, csimdjson_presence &presence) {
    ondemand::json_type type;
    RETURN_ERROR(value.type().get(type));
    presence = CSIMDJSON_OTHER;
    if (type == ondemand::json_type::object) {
        presence = CSIMDJSON_OBJECT;
    } else if (type == ondemand::json_type::null) {
        if (trimmed(value.raw_json_token()) == "null") presence = CSIMDJSON_NULL;
    } else if (type == ondemand::json_type::boolean) {
        bool is_true;
        if (value.get_bool().get(is_true) == SUCCESS) presence = is_true ? CSIMDJSON_TRUE : CSIMDJSON_FALSE;
    }
    return SUCCESS;
}

static error_code read_stream_options(ondemand::value value, const char *json, csimdjson_request &request) {
    request.is_ambiguous |= request.stream_options != CSIMDJSON_ABSENT;
    request.stream_options_range = range_of(trimmed(value.raw_json_token()), json);
    RETURN_ERROR(presence_of(value, request.stream_options));
    if (request.stream_options != CSIMDJSON_OBJECT) return SUCCESS;
    ondemand::object object;
    RETURN_ERROR(value.get_object().get(object));
    bool is_empty = true;
    for (auto element : object) {
        is_empty = false;
        ondemand::field field;
        RETURN_ERROR(std::move(element).get(field));
        std::string_view key;
        RETURN_ERROR(field.unescaped_key().get(key));
        if (key != "include_usage") continue;
        request.is_ambiguous |= request.include_usage != CSIMDJSON_ABSENT;
        request.include_usage_range = range_of(trimmed(field.value().raw_json_token()), json);
        RETURN_ERROR(presence_of(field.value(), request.include_usage));
    }
    if (is_empty) request.stream_options = CSIMDJSON_EMPTY_OBJECT;
    return SUCCESS;
}

static csimdjson_result read_fields(ondemand::object &object, const char *json, csimdjson_request &request) {
    bool has_stream = false;
    for (auto element : object) {
        ondemand::field field;
        if (auto error = std::move(element).get(field)) return result_of(error);
        std::string_view key;
        if (auto error = field.unescaped_key().get(key)) return result_of(error);
        error_code error = SUCCESS;
        if (key == "model") {
            if (request.has_model) return CSIMDJSON_DUPLICATE_MODEL;
            ondemand::json_type type;
            if (auto error = field.value().type().get(type)) return result_of(error);
            if (type != ondemand::json_type::string) return CSIMDJSON_MODEL_NOT_STRING;
            error = read_model(field.value(), json, request);
        } else if (is_one_of(key, {"messages", "input", "prompt"})) {
            error = count_prompt(field.value(), request.content);
        } else if (key == "stream") {
            request.is_ambiguous |= has_stream;
            has_stream = true;
            request.stream_range = range_of(trimmed(field.value().raw_json_token()), json);
            bool stream = false;
            if (field.value().get_bool().get(stream) == SUCCESS) request.stream = stream;
        } else if (key == "stream_options") {
            error = read_stream_options(field.value(), json, request);
        } else if (is_one_of(key, {"max_tokens", "max_completion_tokens", "max_output_tokens"})) {
            error = raise(field.value(), request.max_output);
        } else if (is_one_of(key, {"n", "best_of"})) {
            error = raise(field.value(), request.choices);
        } else if (is_one_of(key, {"tools", "functions", "response_format", "text"})) {
            error = count_raw(field.value(), request.content);
        } else if (is_one_of(key, {"instructions", "suffix"})) {
            error = count_prompt(field.value(), request.content);
        } else if (key == "data_sources") {
            request.has_data_sources = true;
        }
        if (error != SUCCESS) return result_of(error);
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
        auto result = read_fields(object, json, *request);
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
