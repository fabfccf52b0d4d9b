import NIOCore

extension ResponseContent {
    /// The response object as it is at `status`: output and usage come when it is done, and not when it failed.
    func writeObject(_ status: Status, into buffer: inout ByteBuffer) {
        let isDone = status == .completed || status == .incomplete
        buffer.writeStaticString("{\"id\":\"")
        self.writeName(into: &buffer)
        buffer.writeString("\",\"object\":\"response\",\"created_at\":\(self.created),")
        buffer.writeString("\"status\":\"\(status.rawValue)\",")
        buffer.writeString("\"background\":\(self.background),\"error\":null,\"incomplete_details\":")
        if isDone, let incompleteReason {
            buffer.writeString("{\"reason\":\"\(incompleteReason)\"}")
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeStaticString(",\"instructions\":null,\"max_output_tokens\":")
        buffer.writeString(self.maximumTokens.map(String.init) ?? "null")
        buffer.writeStaticString(",\"metadata\":{},\"model\":")
        buffer.writeJSON(self.model)
        buffer.writeStaticString(",\"output\":[")
        if isDone { self.writeOutput(into: &buffer) }
        buffer.writeStaticString("],\"parallel_tool_calls\":true,\"previous_response_id\":")
        if let previousID { buffer.writeJSON(previousID) } else { buffer.writeStaticString("null") }
        buffer.writeStaticString(",\"reasoning\":{\"effort\":null,\"summary\":null},\"service_tier\":\"")
        buffer.writeString(self.serviceTier.rawValue)
        buffer.writeString("\",\"store\":\(self.store),\"temperature\":1.0,\"text\":{\"format\":{\"type\":\"text\"}},")
        buffer.writeStaticString("\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1.0,\"truncation\":\"disabled\",")
        buffer.writeStaticString("\"usage\":")
        if isDone && self.withUsage {
            self.usage.writeResponse(into: &buffer)
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeStaticString(",\"user\":null}")
    }

    private func writeOutput(into buffer: inout ByteBuffer) {
        if self.hasReasoning {
            self.writeReasoning(into: &buffer)
            buffer.writeStaticString(",")
        }
        self.writeItem(isDone: true, into: &buffer)
    }

    /// What a model thinks is an item of its own, before what it says.
    var hasReasoning: Bool { self.usage.details.reasoning > 0 }

    /// The name of the message or the call, without quotes.
    func writeItemID(into buffer: inout ByteBuffer) {
        self.writeID(self.toolName == nil ? "msg_" : "fc_", into: &buffer)
    }

    func writeReasoning(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"id\":\"")
        self.writeID("rs_", into: &buffer)
        buffer.writeStaticString("\",\"type\":\"reasoning\",\"summary\":[]}")
    }

    /// The message or the function call, empty or whole.
    func writeItem(isDone: Bool, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"id\":\"")
        self.writeItemID(into: &buffer)
        if let toolName {
            buffer.writeStaticString("\",\"type\":\"function_call\",\"arguments\":\"")
            if isDone { self.writeText(into: &buffer) }
            buffer.writeStaticString("\",\"call_id\":\"")
            self.writeID("call_", into: &buffer)
            buffer.writeStaticString("\",\"name\":")
            buffer.writeJSON(toolName)
        } else {
            buffer.writeStaticString("\",\"type\":\"message\",\"content\":[")
            if isDone { self.writePart(isDone: true, into: &buffer) }
            buffer.writeStaticString("],\"role\":\"assistant\"")
        }
        let status: Status = !isDone ? .inProgress : self.incompleteReason == nil ? .completed : .incomplete
        buffer.writeString(",\"status\":\"\(status.rawValue)\"}")
    }

    /// The part of the message that is text.
    func writePart(isDone: Bool, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\"")
        if isDone { self.writeText(into: &buffer) }
        buffer.writeStaticString("\"}")
    }

    /// All words, or all arguments, without quotes.
    func writeText(into buffer: inout ByteBuffer) {
        for index in 0..<self.tokens { self.writePiece(index, into: &buffer) }
    }
}
