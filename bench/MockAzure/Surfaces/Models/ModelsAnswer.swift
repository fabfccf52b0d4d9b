import NIOCore

/// The list of models, or one of them, in the form of either surface.
struct ModelsAnswer {
    let deployments: [String]
    let surface: Route.Surface

    func writeList(into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"data\":[")
        for (index, name) in self.deployments.enumerated() {
            if index > 0 { buffer.writeStaticString(",") }
            self.writeModel(name, into: &buffer)
        }
        buffer.writeStaticString("],\"object\":\"list\"}")
    }

    func writeModel(_ name: String, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"id\":")
        buffer.writeJSON(name)
        if self.surface == .v1 {
            buffer.writeStaticString(",\"object\":\"model\",\"created\":1735689600,\"owned_by\":\"system\"}")
            return
        }
        let chat = !name.contains("embedding") && !name.contains("whisper")
        buffer.writeStaticString(",\"object\":\"model\",\"status\":\"succeeded\",\"created_at\":1735689600,")
        buffer.writeStaticString("\"updated_at\":1735689600,\"lifecycle_status\":\"generally-available\",")
        buffer.writeStaticString("\"capabilities\":{\"fine_tune\":false,\"inference\":true,\"completion\":false,")
        buffer.writeString("\"chat_completion\":\(chat),\"embeddings\":\(name.contains("embedding"))}}")
    }
}
