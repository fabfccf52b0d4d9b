import NIOCore

/// Pieces of Azure's JSON that are the same in every answer.
enum Fragments {
    static let completionFilter: StaticString = """
        {"hate":{"filtered":false,"severity":"safe"},\
        "protected_material_code":{"filtered":false,"detected":false},\
        "protected_material_text":{"filtered":false,"detected":false},\
        "self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},\
        "violence":{"filtered":false,"severity":"safe"}}
        """

    static let deltaFilter: StaticString = """
        {"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},\
        "sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}
        """

    static let promptFilterResults: StaticString = """
        [{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},\
        "jailbreak":{"filtered":false,"detected":false},"self_harm":{"filtered":false,"severity":"safe"},\
        "sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}}]
        """

    static let fingerprint: StaticString = "fp_0123456789"
}

/// What a call cost, as Azure reports it (azure.md 5.7).
struct Usage {
    var promptTokens: Int
    var completionTokens: Int

    private static let completionDetails: StaticString = """
        ,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":0,\
        "rejected_prediction_tokens":0}
        """

    private static let promptDetails: StaticString = """
        ,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":0}
        """

    /// The usage object of a chat completion.
    func writeChat(details: Bool, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"completion_tokens\":")
        buffer.writeDecimal(self.completionTokens)
        if details { buffer.writeStaticString(Self.completionDetails) }
        buffer.writeStaticString(",\"prompt_tokens\":")
        buffer.writeDecimal(self.promptTokens)
        if details { buffer.writeStaticString(Self.promptDetails) }
        buffer.writeStaticString(",\"total_tokens\":")
        buffer.writeDecimal(self.promptTokens + self.completionTokens)
        buffer.writeStaticString("}")
    }
}

/// The function call that answers a request with tools; its pieces are the deltas of a stream, one token each.
enum ToolCall {
    static let argumentPieces: [StaticString] = ["{\\\"", "location", "\\\":\\\"", "Paris", "\\\"}"]
}
