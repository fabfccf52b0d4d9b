/// The names of one kind that the file declares, to find repeats and references that lead nowhere.
struct NameRegistry {
    /// "client", "endpoint" or "model".
    let noun: String
    private var declared: [String: Located<String>] = [:]
    /// A name could not be read: what refers to it is not the mistake.
    private var isIncomplete = false

    init(noun: String) {
        self.noun = noun
    }

    mutating func declare(_ name: Located<String>?, in context: ConfigurationContext) {
        guard let name else {
            self.isIncomplete = true
            return
        }
        if let first = self.declared[name.value] {
            let shown = name.isShowable && first.isShowable ? " '\(name.value)'" : ""
            context.report(
                name.position,
                "the \(self.noun)\(shown) is already declared on line \(first.position.line); names must be unique"
            )
        } else {
            self.declared[name.value] = name
        }
    }

    /// Reports a reference to a name that is not declared.
    func check(_ reference: Located<String>, in context: ConfigurationContext) {
        guard self.declared[reference.value] == nil, !self.isIncomplete else { return }
        guard reference.isShowable else {
            context.report(reference.position, "there is no \(self.noun) of this name in '\(self.noun)s'")
            return
        }
        let candidates = self.declared.values.filter(\.isShowable).map(\.value).sorted()
        let suggestion = NearestName.suggestion(for: reference.value, among: candidates)
        let message = "there is no \(self.noun) '\(reference.value)' in '\(self.noun)s'\(suggestion)"
        context.report(reference.position, message)
    }
}
