import Foundation

/// A JSON value, compared by content and not by order. What is not there is `missing`.
struct JSONValue: Equatable, CustomStringConvertible {
    private let value: Any?

    init(_ text: String) {
        self.value = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }

    private init(value: Any?) {
        self.value = value
    }

    static var missing: JSONValue { JSONValue(value: nil) }

    subscript(_ name: String) -> JSONValue { JSONValue(value: (self.value as? [String: Any])?[name]) }

    subscript(_ index: Int) -> JSONValue {
        guard let array = self.value as? [Any], array.indices.contains(index) else { return .missing }
        return JSONValue(value: array[index])
    }

    var array: [JSONValue] { (self.value as? [Any] ?? []).map { JSONValue(value: $0) } }
    var string: String? { self.value as? String }
    var int: Int? { (self.value as? NSNumber)?.intValue }
    var isMissing: Bool { self.value == nil }
    var isNull: Bool { self.value is NSNull }
    var isObject: Bool { self.value is [String: Any] }

    static func == (left: JSONValue, right: JSONValue) -> Bool { left.description == right.description }

    var description: String {
        guard let value = self.value else { return "missing" }
        let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: value, options: options) else { return "invalid" }
        return String(decoding: data, as: UTF8.self)
    }
}

extension JSONValue: ExpressibleByStringLiteral {
    /// JSON text, so that an expectation reads as what goes over the wire.
    init(stringLiteral text: String) { self.init(text) }
}
