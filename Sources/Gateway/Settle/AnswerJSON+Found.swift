extension AnswerJSON {
    /// What one JSON text said.
    struct Found {
        /// Bytes of text that the model made.
        var textBytes = 0
        /// The last usage that was an object and had a number in it.
        private(set) var usage: TokenUsage?
        /// It is that of the event's `response`.
        private(set) var isUsageOfResponse = false
        private(set) var choices = Choices.absent
        private(set) var type: EventType?
        private(set) var finish: AnswerFinish?
        private(set) var model: String?
        private(set) var serviceTier: ServiceTier?
        private var error: AnswerError.Parts?
        private var hasError = false

        private var counts = TokenUsage()
        private var hasCounts = false
        private var isOfResponse = false

        enum Choices {
            case absent
            case empty
            case some
        }

        /// The `type` of an event, as far as it makes a difference.
        enum EventType {
            /// The end of a response; only now its usage counts.
            case terminal
            case error
            /// Tells that there is a response, and nothing of it.
            case lifecycle
            case other
        }

        /// The error that the text is, or tells of.
        var answerError: AnswerError? {
            guard hasError || type == .error else { return nil }
            return AnswerError(error ?? AnswerError.Parts())
        }

        // MARK: objects

        mutating func entered(_ place: Place, within parent: Place) {
            switch place {
            case .usage:
                counts = TokenUsage()
                hasCounts = false
                isOfResponse = parent == .response
            case .choices: choices = .empty
            case .choice: choices = .some
            case .error: hasError = true
            case .outside, .root, .delta, .toolCalls, .toolCall, .function, .response, .inputDetails, .outputDetails:
                break
            }
        }

        mutating func left(_ place: Place) {
            guard place == .usage, hasCounts else { return }
            counts.total = max(counts.total, min(counts.input + counts.output, TokenUsage.mostTokens))
            usage = counts
            isUsageOfResponse = isOfResponse
        }

        // MARK: values

        mutating func take(_ number: JSONNumber, for member: Member, in place: Place) {
            guard let integer = number.integer else { return }
            switch (member, place) {
            case (.input, _): counts.input = integer
            case (.output, _): counts.output = integer
            case (.total, _): counts.total = integer
            case (.seconds, _): counts.seconds = number.double ?? 0
            case (.cached, .inputDetails): counts.cached = integer
            case (.reasoning, .outputDetails): counts.reasoning = integer
            case (.audio, .inputDetails): counts.inputAudio = integer
            case (.audio, .outputDetails): counts.outputAudio = integer
            case (.images, .inputDetails): counts.inputImages = integer
            case (.images, .outputDetails): counts.outputImages = integer
            case (.code, _):
                error = with(error) { $0.code = String(integer) }
                return
            default: return
            }
            // Details alone are no usage.
            if place == .usage { hasCounts = true }
        }

        mutating func take(_ text: UnsafeRawBufferPointer, for member: Member, in place: Place) {
            switch member {
            case .type where place == .error: error = with(error) { $0.type = String(decoding: text, as: UTF8.self) }
            case .type: type = EventType(text)
            case .status: finish = AnswerFinish(status: text) ?? finish
            case .finish: finish = AnswerFinish(reason: text)
            case .model: if text.count > 0 { model = String(decoding: text, as: UTF8.self) }
            case .serviceTier: serviceTier = ServiceTier(text)
            case .code: error = with(error) { $0.code = String(decoding: text, as: UTF8.self) }
            case .message: error = with(error) { $0.message = AnswerError.Parts.Message(text) }
            case .error:
                hasError = true
                error = with(error) { $0.message = AnswerError.Parts.Message(text) }
            default: break
            }
        }

        private func with(
            _ parts: AnswerError.Parts?,
            _ change: (inout AnswerError.Parts) -> Void
        ) -> AnswerError.Parts {
            var parts = parts ?? AnswerError.Parts()
            change(&parts)
            return parts
        }
    }
}

extension AnswerJSON.Found.EventType {
    init(_ text: UnsafeRawBufferPointer) {
        self =
            if text == "response.completed" || text == "response.incomplete" || text == "response.failed"
                || text == "response.cancelled"
            {
                .terminal
            } else if text == "error" {
                .error
            } else if text == "response.created" || text == "response.in_progress" || text == "response.queued"
                || text == "keepalive"
            {
                .lifecycle
            } else {
                .other
            }
    }
}

/// Why an answer is over: a chat's `finish_reason`, or the `status` of a response.
enum AnswerFinish: Equatable, Sendable {
    case stop
    case length
    case contentFilter
    case toolCalls
    case completed
    case incomplete
    case failed
    case cancelled
    /// Not yet: a response in the background, whose usage comes with a later GET.
    case pending
    case other

    init(reason: UnsafeRawBufferPointer) {
        self =
            if reason == "stop" {
                .stop
            } else if reason == "length" {
                .length
            } else if reason == "content_filter" {
                .contentFilter
            } else if reason == "tool_calls" || reason == "function_call" {
                .toolCalls
            } else {
                .other
            }
    }

    /// `nil` for a status that is not that of a response.
    init?(status: UnsafeRawBufferPointer) {
        if status == "completed" {
            self = .completed
        } else if status == "incomplete" {
            self = .incomplete
        } else if status == "failed" {
            self = .failed
        } else if status == "cancelled" {
            self = .cancelled
        } else if status == "queued" || status == "in_progress" {
            self = .pending
        } else {
            return nil
        }
    }
}

/// The tier that Azure used, by which it bills; not always the one that was asked for (azure.md 5.1).
enum ServiceTier: Equatable, Sendable {
    case standard
    case priority
    case flex
    case auto
    case other

    init(_ text: UnsafeRawBufferPointer) {
        self =
            if text == "default" {
                .standard
            } else if text == "priority" {
                .priority
            } else if text == "flex" {
                .flex
            } else if text == "auto" {
                .auto
            } else {
                .other
            }
    }
}
