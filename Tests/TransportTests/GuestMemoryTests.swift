import CGuests
import Foundation
import Glibc
import TestSupport
import Testing

/// The pool that libcurl and OpenSSL have their memory from: `CGuests`.
@Suite("Memory of libcurl and OpenSSL")
struct GuestMemoryTests {
    /// Runs on a thread of its own, which has no pool yet, and keeps no other test from its thread meanwhile.
    private static func onThread(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { done in
            Thread {
                body()
                done.resume()
            }.start()
        }
    }

    @Test("A thread that did not join keeps nothing, and neither does one that has left")
    func membership() async {
        await Self.onThread {
            cguests_pool_free(cguests_pool_malloc(100))
            #expect(cguests_pool_kept() == 0)
            cguests_pool_join()
            cguests_pool_join()
            cguests_pool_free(cguests_pool_malloc(100))
            cguests_pool_leave()
            #expect((cguests_pool_kept() > 0) == (cguests_pool_most_kept() > 0))
            cguests_pool_leave()
            #expect(cguests_pool_kept() == 0)
            cguests_pool_free(cguests_pool_malloc(100))
            #expect(cguests_pool_kept() == 0)
            cguests_pool_leave()
        }
    }

    @Test("Blocks of every size up to 32 KiB come back for their size, and larger ones do not")
    func sizes() async {
        await Self.onThread {
            cguests_pool_join()
            defer { cguests_pool_leave() }
            guard cguests_pool_most_kept() > 0 else { return }  // under a sanitizer
            // The C library now and then gives a block that is larger than it had to be, and is kept for what it can hold.
            var strays = 0
            for size in 1...32 * 1024 {
                let block = cguests_pool_malloc(size)
                cguests_pool_free(block)
                let next = cguests_pool_malloc(size)
                if next != block { strays += 1 }
                cguests_pool_free(next)
            }
            #expect(strays < 300)
            let kept = cguests_pool_kept()
            cguests_pool_free(cguests_pool_malloc(64 * 1024))
            #expect(cguests_pool_kept() == kept)
        }
    }

    @Test("What a thread keeps stays below its bound, however much is freed")
    func bound() async {
        await Self.onThread {
            cguests_pool_join()
            defer { cguests_pool_leave() }
            for size in stride(from: 1, through: 40_000, by: 499) {
                let blocks = (0..<1000).map { _ in cguests_pool_malloc(size) }
                for block in blocks { cguests_pool_free(block) }
                #expect(cguests_pool_kept() <= cguests_pool_most_kept())
            }
        }
    }

    @Test("Zeroed memory is zero where it was used before; too much of it is refused")
    func zeroed() async {
        await Self.onThread {
            cguests_pool_join()
            defer { cguests_pool_leave() }
            for size in [1, 24, 25, 1032, 1033, 8192, 32 * 1024, 50_000] {
                let used = cguests_pool_malloc(size)!
                memset(used, 0xAA, size)
                cguests_pool_free(used)
                let block = cguests_pool_calloc(size, 1)!
                #expect(UnsafeRawBufferPointer(start: block, count: size).allSatisfy { $0 == 0 })
                cguests_pool_free(block)
            }
            // Not constants: a compiler that sees them refuses for itself.
            let many = Int.max / Int.random(in: 2...2)
            #expect(cguests_pool_calloc(many, 3) == nil)
            #expect(cguests_pool_malloc(many) == nil)
        }
    }

    @Test("Blocks freed on other threads than their own, and copies of texts, are as good as any")
    func acrossThreads() async {
        nonisolated(unsafe) var text: UnsafeMutablePointer<CChar>?
        await Self.onThread {
            cguests_pool_join()
            text = cguests_pool_strdup("api-version=2024-10-21")
            cguests_pool_leave()
        }
        await Self.onThread {
            cguests_pool_join()
            #expect(String(cString: text!) == "api-version=2024-10-21")
            cguests_pool_free(text)
            cguests_pool_free(nil)
            cguests_pool_free(malloc(5))
            cguests_pool_leave()
        }
    }

    /// What is live is filled with a pattern that nobody else may have written to.
    @Test("A thread that allocates, grows, shrinks and frees at random is given no block twice", arguments: 0..<4)
    func random(seed: UInt64) async {
        await Self.onThread {
            var random = SplitMix(seed: seed)
            var live: [(block: UnsafeMutableRawPointer, size: Int, mark: UInt8)] = []
            func check(_ block: UnsafeMutableRawPointer, _ size: Int, _ mark: UInt8) {
                #expect(UnsafeRawBufferPointer(start: block, count: size).allSatisfy { $0 == mark })
            }
            func size() -> Int {
                let bits = Int(random.next() % 16)
                return 1 + Int(random.next() % (1 << UInt64(bits)))
            }
            cguests_pool_join()
            for step in 0..<20_000 {
                let mark = UInt8(truncatingIfNeeded: step)
                switch random.next() % 4 {
                case 0 where live.count < 300, 1 where live.count < 300:
                    let size = size()
                    let block = cguests_pool_malloc(size)!
                    memset(block, Int32(mark), size)
                    live.append((block, size, mark))
                case 2 where !live.isEmpty:
                    let index = Int(random.next() % UInt64(live.count))
                    let old = live[index]
                    let size = size()
                    let block = cguests_pool_realloc(old.block, size)!
                    check(block, min(size, old.size), old.mark)
                    memset(block, Int32(mark), size)
                    live[index] = (block, size, mark)
                default:
                    guard !live.isEmpty else { continue }
                    let old = live.remove(at: Int(random.next() % UInt64(live.count)))
                    check(old.block, old.size, old.mark)
                    cguests_pool_free(old.block)
                }
            }
            for old in live {
                check(old.block, old.size, old.mark)
                cguests_pool_free(old.block)
            }
            cguests_pool_leave()
        }
    }
}
