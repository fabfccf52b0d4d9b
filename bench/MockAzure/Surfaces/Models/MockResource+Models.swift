import NIOCore

extension MockResource {
    func serveModels(_ request: IncomingRequest) -> Answer {
        let models = ModelsAnswer(deployments: self.deployments.names, surface: request.route.surface)
        var body = ByteBuffer()
        if let id = request.route.itemID {
            guard self.deployments.contains(id) else { return Answer(.unknownDeployment) }
            models.writeModel(id, into: &body)
        } else {
            models.writeList(into: &body)
        }
        return Answer(.whole(body))
    }
}
