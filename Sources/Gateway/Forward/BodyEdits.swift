internal import Transport

/// The two things in a request's body that depend on where it goes: the model's name, and whether the usage of a stream is asked
/// for. All else stays as it came, to the byte; both can be changed again for another deployment.
struct BodyEdits {
    private var model: Range<Int>
    private var name: String?
    private let isJSON: Bool
    private let splice: StreamOptionsSplice?
    /// Where the text of the splice stands, or would stand.
    private var options: Range<Int>
    /// What stood there.
    private var original: [UInt8] = []
    /// The gateway has asked for the usage in the client's place.
    private(set) var asksForUsage = false

    /// For a form.
    init(formModel name: String, at range: Range<Int>) {
        model = range
        self.name = name
        isJSON = false
        splice = nil
        options = 0..<0
    }

    /// - Parameter model: `nil` where the body names none, or the path does.
    init(model name: String?, at range: Range<Int>, splice: StreamOptionsSplice?) {
        model = range
        self.name = name
        isJSON = true
        self.splice = splice
        options = splice?.range ?? 0..<0
    }

    /// Makes the body name the deployment.
    mutating func rename(to deployment: String, in body: BodyStorage) {
        guard let name, name != deployment else { return }
        self.name = deployment
        let value = Array((isJSON ? JSONText.quoted(deployment) : deployment).utf8)
        let growth = Self.replace(&model, with: value, in: body)
        if model.lowerBound < options.lowerBound { options = options.moved(by: growth) }
    }

    /// Asks for the usage of a stream whose client did not, or takes that back.
    mutating func askForUsage(_ asks: Bool, in body: BodyStorage) {
        guard let splice, asks != asksForUsage else { return }
        asksForUsage = asks
        if asks { original = Array(body.bytes[options]) }
        let text =
            asks
            ? Array(
                UnsafeBufferPointer(start: splice.replacement.utf8Start, count: splice.replacement.utf8CodeUnitCount)
            ) : original
        let growth = Self.replace(&options, with: text, in: body)
        if options.lowerBound < model.lowerBound { model = model.moved(by: growth) }
    }

    private static func replace(_ range: inout Range<Int>, with value: [UInt8], in body: BodyStorage) -> Int {
        value.withUnsafeBytes { body.replace(range, with: $0) }
        let growth = value.count - range.count
        range = range.lowerBound..<range.lowerBound + value.count
        return growth
    }
}

extension Range<Int> {
    fileprivate func moved(by distance: Int) -> Self { lowerBound + distance..<upperBound + distance }
}
