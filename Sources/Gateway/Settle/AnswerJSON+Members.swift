extension AnswerJSON {
    /// An object or array in which something is of interest.
    enum Place: UInt8 {
        case outside
        case root
        /// `choices` of chats and completions, and one of them.
        case choices
        case choice
        /// `delta`, or `message` where the answer is not streamed.
        case delta
        case toolCalls
        case toolCall
        case function
        /// `response` in an event of the Responses API.
        case response
        case usage
        case inputDetails
        case outputDetails
        case error

        var isArray: Bool { self == .choices || self == .toolCalls }

        /// The object or array that begins as the value of a member, or as an element; `nil` for one to skip.
        func child(_ member: Member, isArray: Bool) -> Place? {
            let child: Place? =
                switch (self, member) {
                case (.choices, _): .choice
                case (.toolCalls, _): .toolCall
                case (_, .choices): .choices
                case (_, .delta): .delta
                case (_, .toolCalls): .toolCalls
                case (_, .function): .function
                case (_, .response): .response
                case (_, .usage): .usage
                case (_, .inputDetails): .inputDetails
                case (_, .outputDetails): .outputDetails
                case (_, .error): .error
                default: nil
                }
            return child?.isArray == isArray ? child : nil
        }
    }

    /// Where the text is: places within each other. None is deeper than seven.
    struct Places {
        /// The innermost.
        private(set) var top = Place.outside
        /// Those around it, the next one in the lowest byte.
        private var outer: UInt64 = 0

        var isEmpty: Bool { top == .outside }

        mutating func push(_ place: Place) {
            outer = outer << 8 | UInt64(top.rawValue)
            top = place
        }

        mutating func pop() -> Place? {
            guard !isEmpty else { return nil }
            let left = top
            top = Place(rawValue: UInt8(truncatingIfNeeded: outer)) ?? .outside
            outer >>= 8
            return left
        }
    }

    /// What the value is that comes next.
    enum Member: UInt8 {
        case other
        case choices, delta, toolCalls, function, response, usage, inputDetails, outputDetails, error
        case input, output, total, cached, reasoning, audio, images, seconds
        case finish, type, status, model, serviceTier, code, message
        /// Text that the model made.
        case made

        var isNumber: Bool {
            switch self {
            case .input, .output, .total, .cached, .reasoning, .audio, .images, .seconds: true
            case .other, .choices, .delta, .toolCalls, .function, .response, .usage, .inputDetails, .outputDetails,
                .error, .finish, .type, .status, .model, .serviceTier, .code, .message, .made:
                false
            }
        }
    }
}

// MARK: names

extension AnswerJSON.Place {
    /// What a member of this place means.
    func member(_ name: UnsafeRawBufferPointer) -> AnswerJSON.Member {
        switch self {
        case .root: Self.rootMember(name)
        case .response: Self.responseMember(name)
        case .choice: Self.choiceMember(name)
        case .delta: Self.deltaMember(name)
        case .toolCall: name == "function" ? .function : .other
        case .function: name == "arguments" || name == "name" ? .made : .other
        case .usage: Self.usageMember(name)
        case .inputDetails, .outputDetails: Self.detailsMember(name)
        case .error: Self.errorMember(name)
        case .outside, .choices, .toolCalls: .other
        }
    }

    private static func rootMember(_ name: UnsafeRawBufferPointer) -> AnswerJSON.Member {
        switch name.count {
        case 4: name == "type" ? .type : name == "code" ? .code : .other
        case 5:
            name == "usage"
                ? .usage : name == "model" ? .model : name == "error" ? .error : name == "delta" ? .delta : .other
        case 6: name == "status" ? .status : .other
        case 7: name == "choices" ? .choices : name == "message" ? .message : .other
        case 8: name == "response" ? .response : .other
        case 12: name == "service_tier" ? .serviceTier : .other
        default: .other
        }
    }

    private static func responseMember(_ name: UnsafeRawBufferPointer) -> AnswerJSON.Member {
        switch name.count {
        case 5: name == "usage" ? .usage : name == "model" ? .model : name == "error" ? .error : .other
        case 6: name == "status" ? .status : .other
        case 12: name == "service_tier" ? .serviceTier : .other
        default: .other
        }
    }

    private static func choiceMember(_ name: UnsafeRawBufferPointer) -> AnswerJSON.Member {
        switch name.count {
        case 4: name == "text" ? .made : .other
        case 5: name == "delta" ? .delta : .other
        case 7: name == "message" ? .delta : .other
        case 13: name == "finish_reason" ? .finish : .other
        default: .other
        }
    }

    private static func deltaMember(_ name: UnsafeRawBufferPointer) -> AnswerJSON.Member {
        switch name.count {
        case 4: name == "text" ? .made : .other
        case 7: name == "content" || name == "refusal" ? .made : .other
        case 10: name == "tool_calls" ? .toolCalls : .other
        case 13: name == "function_call" ? .function : .other
        case 17: name == "reasoning_content" ? .made : .other
        default: .other
        }
    }

    private static func usageMember(_ name: UnsafeRawBufferPointer) -> AnswerJSON.Member {
        switch name.count {
        case 7: name == "seconds" ? .seconds : .other
        case 12: name == "total_tokens" ? .total : name == "input_tokens" ? .input : .other
        case 13: name == "prompt_tokens" ? .input : name == "output_tokens" ? .output : .other
        case 17: name == "completion_tokens" ? .output : .other
        case 19: name == "input_token_details" ? .inputDetails : .other
        case 20:
            name == "input_tokens_details" ? .inputDetails : name == "output_token_details" ? .outputDetails : .other
        case 21:
            name == "prompt_tokens_details" ? .inputDetails : name == "output_tokens_details" ? .outputDetails : .other
        case 25: name == "completion_tokens_details" ? .outputDetails : .other
        default: .other
        }
    }

    private static func detailsMember(_ name: UnsafeRawBufferPointer) -> AnswerJSON.Member {
        switch name.count {
        case 12: name == "audio_tokens" ? .audio : name == "image_tokens" ? .images : .other
        case 13: name == "cached_tokens" ? .cached : .other
        case 16: name == "reasoning_tokens" ? .reasoning : .other
        default: .other
        }
    }

    private static func errorMember(_ name: UnsafeRawBufferPointer) -> AnswerJSON.Member {
        switch name.count {
        case 4: name == "code" ? .code : name == "type" ? .type : .other
        case 7: name == "message" ? .message : .other
        default: .other
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Eight bytes at a time, or four: inlined, with a literal, a few comparisons with constants.
    @inline(__always)
    static func == (bytes: Self, text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count == count else { return false }
        guard count >= 4 else {
            for index in 0..<count where bytes[index] != text.utf8Start[index] { return false }
            return true
        }
        // The last word may overlap the one before.
        if count < 8 { return bytes.isSame(UInt32.self, text, at: 0) && bytes.isSame(UInt32.self, text, at: count - 4) }
        var at = 0
        while at + 8 < count {
            guard bytes.isSame(UInt64.self, text, at: at) else { return false }
            at += 8
        }
        return bytes.isSame(UInt64.self, text, at: count - 8)
    }

    @inline(__always)
    private func isSame<Word: FixedWidthInteger & BitwiseCopyable>(
        _: Word.Type,
        _ text: StaticString,
        at offset: Int
    ) -> Bool {
        let expected = UnsafeRawPointer(text.utf8Start)
        return loadUnaligned(fromByteOffset: offset, as: Word.self)
            == expected.loadUnaligned(fromByteOffset: offset, as: Word.self)
    }
}
