import Testing

/// Tests that measure real programs: one at a time, so that they do not measure each other.
@Suite("With real programs", .serialized)
enum ProgramTests {}
