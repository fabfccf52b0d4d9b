internal import Testing

/// The tests that start the real executables. One at a time: each may need the whole machine.
@Suite(.serialized, .ownThreads, .timeLimit(.minutes(5)))
enum Integration {}
