internal import Glibc

/// Files in a folder: a new one each day (UTC), and when one is large.
///
/// The mark says how long the file was when the events were taken. After a restart the file is cut there: a line that is torn
/// goes, and so do whole ones that come again from the spool.
final class FileSink: UsageSink {
    enum Format: Sendable {
        case powerProxyCSV
        case csv
        case jsonl

        var suffix: String {
            switch self {
            case .powerProxyCSV: "logs.csv"
            case .csv: "usage.csv"
            case .jsonl: "usage.jsonl"
            }
        }

        /// The first line of a file; empty where there is none.
        var header: [UInt8] {
            let columns: [String]
            switch self {
            case .powerProxyCSV: columns = PowerProxyUsage.columns
            case .csv: columns = UsageText.columns
            case .jsonl: return []
            }
            var rows = CSVRows(capacity: 512)
            rows.add(row: columns)
            return rows.take()
        }

        func lines(of events: [UsageEvent]) -> [UInt8] {
            var rows = CSVRows(capacity: 512 * (events.count + 1))
            switch self {
            case .powerProxyCSV: for event in events { PowerProxyUsage(event)?.append(toCSV: &rows) }
            case .csv: for event in events { UsageText.append(event, toCSV: &rows) }
            case .jsonl:
                var lines: [UInt8] = []
                for event in events { UsageText.appendJSON(event, to: &lines) }
                return lines
            }
            return rows.take()
        }
    }

    private struct File {
        let name: String
        let descriptor: Int32
        var bytes: Int
        var day: Substring { name.prefix(8) }
        var mark: String { "\(bytes) \(name)" }
    }

    private let folder: String
    private let format: Format
    private let writer: String
    private let mostBytes: Int
    private var file: File?

    /// - Parameters:
    ///   - writer: a word that no other process's files have in their names.
    ///   - mark: of the last process, empty for none.
    ///   - mostBytes: of one file, about.
    init(folder: String, format: Format, writer: String, mark: String, mostBytes: Int = 64 << 20) {
        self.folder = folder
        self.format = format
        self.writer = writer
        self.mostBytes = mostBytes
        file = mended(mark)
    }

    deinit { if let file { close(file.descriptor) } }

    func write(_ events: [UsageEvent]) throws(SinkFailure) -> SinkProgress {
        try write(events) { (_: String) throws(SinkFailure) in }
    }

    func write(
        _ events: [UsageEvent],
        keep: (_ mark: String) throws(SinkFailure) -> Void
    ) throws(SinkFailure) -> SinkProgress {
        var lines = format.lines(of: events)
        forgetIfGone()
        if !lines.isEmpty { try renew(keep) }
        do throws(SystemFailure) {
            if !lines.isEmpty, var file {
                if file.bytes == 0 { lines = format.header + lines }
                try FileBytes.write(lines, to: file.descriptor, at: file.bytes, of: "\(folder)/\(file.name)")
                guard fdatasync(file.descriptor) == 0 else { throw SystemFailure("fdatasync", file.name) }
                file.bytes += lines.count
                self.file = file
            }
            return SinkProgress(mark: file?.mark ?? "")
        } catch {
            throw SinkFailure(reason: "\(error)")
        }
    }

    /// Goes on to a new file where there is none, or where the old one is of another day or large.
    ///
    /// The mark of a new one is kept before anything is written to it: else a process that died now would leave lines that the
    /// next one does not know of, and writes once more.
    private func renew(_ keep: (_ mark: String) throws(SinkFailure) -> Void) throws(SinkFailure) {
        let today = UsageTime.fileName(UsageTime.now())
        if let old = file {
            guard old.bytes >= mostBytes || old.day != today.prefix(8) else { return }
            close(old.descriptor)
            file = nil
        }
        let new: File
        do throws(SystemFailure) {
            new = try created(today)
        } catch {
            throw SinkFailure(reason: "\(error)")
        }
        do throws(SinkFailure) {
            try keep(new.mark)
            file = new
        } catch {
            close(new.descriptor)
            unlink("\(folder)/\(new.name)")
            throw error
        }
    }

    private func created(_ time: String) throws(SystemFailure) -> File {
        try SpoolFolder.makeFolders(folder)
        for count in 0..<10_000 {
            let name = "\(time)-\(writer)\(count == 0 ? "" : "-\(count)").\(format.suffix)"
            let path = "\(folder)/\(name)"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
            if descriptor >= 0 { return File(name: name, descriptor: descriptor, bytes: 0) }
            guard errno == EEXIST else { throw SystemFailure("create", path) }
        }
        throw SystemFailure("create", folder, EEXIST)
    }

    /// Somebody may have taken the file or the folder away: then a new one is made.
    private func forgetIfGone() {
        guard let file else { return }
        var status = stat()
        guard fstat(file.descriptor, &status) != 0 || status.st_nlink == 0 else { return }
        close(file.descriptor)
        self.file = nil
    }

    private func mended(_ mark: String) -> File? {
        let parts = mark.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let bytes = Int(parts[0]), !parts[1].utf8.contains(UInt8(ascii: "/")) else {
            return nil
        }
        let name = String(parts[1])
        let descriptor = open("\(folder)/\(name)", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        // A file that somebody shortened is left as it is.
        guard fstat(descriptor, &status) == 0, status.st_size >= bytes, ftruncate(descriptor, off_t(bytes)) == 0 else {
            close(descriptor)
            return nil
        }
        return File(name: name, descriptor: descriptor, bytes: bytes)
    }
}
