import Foundation
import NIOCore
import Testing

@testable import MockAzure

extension Mock {
    /// What `/mock/stats` says of a deployment, up to its tokens.
    func stats(of deployment: String) throws -> String {
        let text = self.allStats
        let start = try #require(text.range(of: "\"deployments\":{"))
        let name = try #require(text[start.upperBound...].range(of: "\"\(deployment)\":"))
        let end = try #require(text[name.upperBound...].range(of: "\"tokens\":"))
        return String(text[name.upperBound..<end.lowerBound])
    }

    var allStats: String {
        var buffer = ByteBuffer()
        self.loop.books.writeJSON(into: &buffer)
        return String(buffer: buffer)
    }
}
