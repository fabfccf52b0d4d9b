import Testing

/// All tests with real sockets. One after the other, as several of them measure time.
@Suite("The engine", .serialized)
enum EngineTests {}
