internal import Transport

/// The regions that Azure names in its answers (`x-ms-region`). An endpoint's is nearly always the same, so its text is kept.
struct RegionNames {
    private var last: [String?]

    init(endpoints: Int) { last = [String?](repeating: nil, count: endpoints) }

    /// `nil` where an answer names none.
    mutating func name(in head: ResponseHead, endpoint: Int) -> String? {
        guard let field = head.fields.first(where: { head.matches($0, "x-ms-region") }) else { return nil }
        // A configuration that was reloaded may name more endpoints than the one before.
        while last.count <= endpoint { last.append(nil) }
        if let known = last[endpoint], head.value(field, is: known) { return known }
        last[endpoint] = head.first("x-ms-region")
        return last[endpoint]
    }
}
