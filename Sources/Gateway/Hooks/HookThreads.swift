internal import Dispatch
internal import NIOPosix

/// The threads that hooks run on: not the event loops', and not those of Swift's concurrency, so that a hook that blocks its thread
/// holds up nothing but hooks.
///
/// A hook that waits (`await`) takes no thread. One that blocks takes one of `count`; when all are taken, other exchanges' hooks
/// wait for one, and their time runs.
final class HookThreads: TaskExecutor {
    static let count = 4
    private let pool = NIOThreadPool(numberOfThreads: HookThreads.count)

    init() { pool.start() }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // A job must run, whatever became of the pool: something may wait for what it does.
        pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Ends the threads as they become free; one that a hook blocks is left to itself.
    func stop() { pool.shutdownGracefully(queue: .global()) { _ in } }
}
