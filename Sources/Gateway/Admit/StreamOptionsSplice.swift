/// The change to a body that makes Azure report the usage of a stream: `"stream_options":{"include_usage":true}`.
///
/// The rest of the body stays as it is, to the byte.
struct StreamOptionsSplice {
    /// What `BodyEdits` replaces; empty where something is put in.
    let range: Range<Int>
    let replacement: StaticString

    /// `nil` where nothing is to be changed: the answer is not streamed or has its usage anyway, the operation or On Your Data
    /// takes no `stream_options`, or what stands there is for Azure to refuse.
    init?(_ facts: RequestFacts, operation: APIOperation) {
        let options = facts.streamOptions
        guard operation.takesStreamOptions, facts.isStream, !facts.hasDataSources, !options.isAmbiguous else {
            return nil
        }
        switch (options.value, options.includeUsage) {
        case (.absent, _):
            range = options.streamRange.upperBound..<options.streamRange.upperBound
            replacement = ",\"stream_options\":{\"include_usage\":true}"
        case (.null, _):
            range = options.range
            replacement = "{\"include_usage\":true}"
        case (.emptyObject, _):
            range = (options.range.lowerBound + 1)..<(options.range.lowerBound + 1)
            replacement = "\"include_usage\":true"
        case (.object, .absent):
            range = (options.range.lowerBound + 1)..<(options.range.lowerBound + 1)
            replacement = "\"include_usage\":true,"
        case (.object, .no), (.object, .null):
            range = options.includeUsageRange
            replacement = "true"
        case (.object, .yes), (.object, .other), (.other, _):
            return nil
        }
    }
}
