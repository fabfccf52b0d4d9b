package import NIOCore

/// Keys that one replica has fetched, for the others: a fleet that starts asks Entra ID once, and not once for each replica.
///
/// The documents are public; but whoever can write here can make tokens, so the store must be as trusted as the configuration.
package protocol SharedKeyStore: Sendable {
    /// What a replica shared no longer than `maxAge` ago. A store that fails answers `nil`: every replica can fetch for itself.
    func get(_ name: String, maxAge: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<SharedKeys?>

    /// Shares what was fetched just now, to be forgotten after `lifetime`. Nobody waits for it.
    func put(_ name: String, _ keys: SharedKeys.Documents, lifetime: TimeAmount, on eventLoop: any EventLoop)
}

package struct SharedKeys: Sendable {
    /// As Entra ID sent them; they are read again with the same care.
    package struct Documents: Sendable {
        package let metadata: [UInt8]
        package let keys: [UInt8]

        package init(metadata: [UInt8], keys: [UInt8]) {
            self.metadata = metadata
            self.keys = keys
        }
    }

    package let documents: Documents
    package let age: TimeAmount

    package init(documents: Documents, age: TimeAmount) {
        self.documents = documents
        self.age = age
    }
}
