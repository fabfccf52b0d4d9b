internal import NIOCore

extension CallerAddress {
    /// The other end of a connection; `nil` for a socket that is no IP address's.
    init?(_ address: SocketAddress?) {
        // The kernel's own layout (ip(7), ipv6(7)): the address stands behind family, port and, in IPv6, the flow.
        switch address {
        case .v4:
            guard let four = address?.withSockAddr({ Self.load(UInt32.self, at: 4, of: UnsafeRawPointer($0), $1) })
            else { return nil }
            self.init(ipv4: UInt32(bigEndian: four))
        case .v6:
            guard
                let halves = address?.withSockAddr({
                    Self.load(SIMD2<UInt64>.self, at: 8, of: UnsafeRawPointer($0), $1)
                })
            else {
                return nil
            }
            self.init(ipv6: withUnsafeBytes(of: halves) { Array($0) })
        case .unixDomainSocket, nil:
            return nil
        }
    }

    private static func load<Value: BitwiseCopyable>(
        _ type: Value.Type,
        at offset: Int,
        of address: UnsafeRawPointer,
        _ size: Int
    ) -> Value? {
        guard size >= offset + MemoryLayout<Value>.size else { return nil }
        return address.loadUnaligned(fromByteOffset: offset, as: type)
    }
}
