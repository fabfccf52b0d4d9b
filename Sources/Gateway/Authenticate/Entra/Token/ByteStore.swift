/// What takes bytes one by one.
protocol ByteStore: ~Copyable {
    /// - Precondition: there is room, where the store does not make it itself.
    mutating func store(_ byte: UInt8)
}

extension [UInt8]: ByteStore {
    mutating func store(_ byte: UInt8) { append(byte) }
}
