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

/// The function call that answers a request with tools; its pieces are the deltas of a stream, one token each.
enum ToolCall {
    static let argumentPieces: [StaticString] = ["{\\\"", "location", "\\\":\\\"", "Paris", "\\\"}"]
}
