internal import Glibc

/// What Linux says of this process (proc(5)), under the names that Prometheus' clients use.
struct ProcessStatistics {
    var residentBytes = 0
    var virtualBytes = 0
    var cpuSeconds = 0.0
    var openDescriptors = 0
    var maxDescriptors = 0
    /// Seconds since 1970.
    var startTime = 0.0

    /// Reads a few files of `/proc`; not for an event loop that serves requests. What cannot be read stays zero.
    static func read() -> Self {
        var statistics = Self()
        let tick = Double(sysconf(Int32(_SC_CLK_TCK)))
        // Behind the name, which may hold anything: state is the first field, utime the twelfth.
        if let stat = contents("/proc/self/stat"), let name = stat.lastIndex(of: ")") {
            let fields = stat[stat.index(after: name)...].split(separator: " ")
            if fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
                let start = Double(fields[19]), let virtual = Int(fields[20]), let pages = Int(fields[21])
            {
                statistics.cpuSeconds = (user + system) / tick
                statistics.virtualBytes = virtual
                statistics.residentBytes = pages * Int(sysconf(Int32(_SC_PAGESIZE)))
                statistics.startTime = bootTime() + start / tick
            }
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            statistics.maxDescriptors = Int(clamping: limit.rlim_cur)
        }
        statistics.openDescriptors = descriptors()
        return statistics
    }

    private static func bootTime() -> Double {
        let lines = contents("/proc/stat")?.split(separator: "\n") ?? []
        let line = lines.first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst("btime ".count)) } ?? 0
    }

    private static func descriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Its own and its parent, and the descriptor that lists them.
        return max(0, count - 3)
    }

    private static func contents(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}

extension MetricsPage {
    func process(_ page: inout MetricsText) {
        let process = ProcessStatistics.read()
        page.family("process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.")
        page.sample("process_resident_memory_bytes", process.residentBytes)
        page.family("process_virtual_memory_bytes", "gauge", "Address space of the process.")
        page.sample("process_virtual_memory_bytes", process.virtualBytes)
        page.family("process_cpu_seconds_total", "counter", "CPU time of the process, user and system.")
        page.sample("process_cpu_seconds_total", process.cpuSeconds)
        page.family("process_open_fds", "gauge", "Open file descriptors.")
        page.sample("process_open_fds", process.openDescriptors)
        page.family("process_max_fds", "gauge", "File descriptors that the process may open.")
        page.sample("process_max_fds", process.maxDescriptors)
        page.family("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.")
        page.sample("process_start_time_seconds", process.startTime)
    }
}
