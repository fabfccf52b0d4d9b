internal import CSimdjson
internal import Transport

/// Reads what a JSON request says about itself. One per event loop; its buffers are reused.
final class JSONRequestReader {
    struct Request: Equatable {
        /// `nil`: the body names no model.
        var model: String?
        /// Where the value of `model` stands in the body, quotes included.
        var modelRange: Range<Int>
        var stream: Bool
    }

    private let parser: OpaquePointer

    init() {
        guard let parser = csimdjson_parser_new() else { fatalError("no memory for a JSON parser") }
        self.parser = parser
    }

    deinit { csimdjson_parser_free(parser) }

    func read(_ body: BodyStorage) -> Result<Request, GatewayError> {
        precondition(BodyStorage.padding >= CSIMDJSON_PADDING, "simdjson reads that far behind the body")
        var found = csimdjson_request()
        let base = body.bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
        switch csimdjson_read_request(parser, base, body.count, &found) {
        case CSIMDJSON_OK:
            break
        case CSIMDJSON_DUPLICATE_MODEL:
            return .failure(.badRequest("InvalidRequest", "The request body has 'model' more than once."))
        case CSIMDJSON_MODEL_NOT_STRING:
            return .failure(.badRequest("InvalidRequest", "The value of 'model' in the request body is not a string."))
        case CSIMDJSON_NOT_UTF8:
            return .failure(.badRequest("InvalidRequest", "The request body is not valid UTF-8."))
        case CSIMDJSON_NO_MEMORY:
            return .failure(
                GatewayError(500, "out_of_memory", "The gateway has no memory for this body.", source: .gateway)
            )
        default:
            return .failure(.badRequest("InvalidRequest", "The request body is not a JSON object."))
        }
        guard found.has_model else {
            return .success(Request(model: nil, modelRange: 0..<0, stream: found.stream))
        }
        let name = UnsafeRawBufferPointer(start: found.model, count: found.model_bytes)
        return .success(
            Request(
                model: String(decoding: name, as: UTF8.self),
                modelRange: found.model_offset..<(found.model_offset + found.model_length),
                stream: found.stream
            )
        )
    }
}
