internal import Glibc

/// Seconds since 1970, as tokens count.
package enum UnixTime {
    package static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return Int64(time.tv_sec)
    }
}
