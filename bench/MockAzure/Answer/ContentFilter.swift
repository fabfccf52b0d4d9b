import NIOCore

/// What Azure's content filter says when it finds something (azure.md 5.6 and 5.7).
enum ContentFilter {
    /// The verdict on an answer that was stopped.
    static let violence: StaticString = """
        {"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,"severity":"safe"},\
        "sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":true,"severity":"medium"}}
        """

    /// The verdict on a prompt that was refused.
    static let hate: StaticString = """
        {"hate":{"filtered":true,"severity":"high"},"jailbreak":{"filtered":false,"detected":false},\
        "self_harm":{"filtered":false,"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},\
        "violence":{"filtered":false,"severity":"safe"}}
        """
}

extension AzureError {
    /// The refusal of a prompt; Azure bills the prompt all the same.
    static let filteredPrompt = AzureError(
        status: 400,
        body: """
            {"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content \
            management policy. Please modify your prompt and retry. To learn more about our content filtering policies \
            please read our documentation: https://go.microsoft.com/fwlink/?linkid=2198766","type":null,\
            "param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation",\
            "content_filter_result":\(ContentFilter.hate)}}}
            """
    )

    /// The refusal of an image's prompt, which has other names for the same.
    static let filteredImagePrompt = AzureError(
        status: 400,
        body: """
            {"error":{"code":"content_policy_violation","message":"Your request was rejected as a result of our safety \
            system. Your prompt may contain text that is not allowed by our safety system.","param":null,"type":null,\
            "inner_error":{"code":"ResponsibleAIPolicyViolation","content_filter_results":\(ContentFilter.hate)}}}
            """
    )

    /// The first event of a chat stream that Azure has no room for, within a 200 (azure.md 5.6).
    static let noCapacityInChat: StaticString = """
        data: {"error":{"message":"The server is overloaded: no_kv_space. Please retry later.",\
        "type":"server_error","param":null,"code":"rate_limit_exceeded"}}\n\n
        """
}
