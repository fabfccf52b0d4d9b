internal import Coordination

/// What models were asked for: tokens, and how long answers took. Names and labels are OpenTelemetry's where it has some
/// ("Semantic conventions for generative AI metrics"), as Prometheus writes them.
extension MetricsPage {
    func generation(_ page: inout MetricsText) {
        let generation = totals.generation
        histograms(
            &page,
            "gen_ai_server_request_duration_seconds",
            "From a request's head to the last byte of its answer.",
            generation.duration
        )
        histograms(
            &page,
            "gen_ai_server_time_to_first_token_seconds",
            "From a request's head to the first event of its stream.",
            generation.firstToken
        )
        histograms(
            &page,
            "gen_ai_server_time_per_output_token_seconds",
            "Time of a stream for each token behind the first.",
            generation.perOutputToken
        )
        page.family("gen_ai_client_token_usage", "histogram", "Tokens of an exchange.")
        histogramSamples(&page, "gen_ai_client_token_usage", generation.inputTokens, type: "input")
        histogramSamples(&page, "gen_ai_client_token_usage", generation.outputTokens, type: "output")
        tokens(&page)
    }

    private func histograms(_ page: inout MetricsText, _ name: String, _ help: String, _ histograms: [Histogram]) {
        page.family(name, "histogram", help)
        histogramSamples(&page, name, histograms, type: nil)
    }

    private func histogramSamples(
        _ page: inout MetricsText,
        _ name: String,
        _ histograms: [Histogram],
        type: String?
    ) {
        for model in 0...totals.models {
            for operation in GenerationMetrics.Operation.allCases {
                let histogram = histograms[GenerationMetrics.index(model: model, operation: operation)]
                guard histogram.total > 0 else { continue }
                var labels = [
                    ("gen_ai_operation_name", operation.name), ("gen_ai_provider_name", "azure.ai.openai"),
                    ("gen_ai_request_model", modelName(model)),
                ]
                if let type { labels.append(("gen_ai_token_type", type)) }
                page.histogram(name, histogram, labels: labels, unit: type == nil ? 1_000_000_000 : 1)
            }
        }
    }

    private func tokens(_ page: inout MetricsText) {
        let generation = totals.generation
        page.family("sluice_tokens_total", "counter", "Tokens booked, by client, model and kind.")
        for client in 0...totals.clients {
            for model in 0...totals.models {
                for (kind, name) in GenerationMetrics.kinds.enumerated() {
                    let count = generation.tokens[generation.index(client: client, model: model, kind: kind)]
                    guard count > 0 else { continue }
                    let labels = [("client", clientName(client)), ("model", modelName(model)), ("kind", name)]
                    page.sample("sluice_tokens_total", count, labels: labels)
                }
            }
        }
        page.family("sluice_sound_seconds_total", "counter", "Length of sound that is billed by its length.")
        for (model, length) in generation.soundMilliseconds.enumerated() where length > 0 {
            page.sample("sluice_sound_seconds_total", Double(length) / 1000, labels: [("model", modelName(model))])
        }
        page.family("sluice_usage_estimated_total", "counter", "Exchanges booked by estimate, as Azure said nothing.")
        for (model, count) in generation.estimated.enumerated() where count > 0 {
            page.sample("sluice_usage_estimated_total", count, labels: [("model", modelName(model))])
        }
        page.family(
            "sluice_reservation_ratio",
            "histogram",
            "Tokens reserved for a request, divided by those that Azure reported."
        )
        for (model, histogram) in generation.reservation.enumerated() where histogram.total > 0 {
            page.histogram(
                "sluice_reservation_ratio",
                histogram,
                labels: [("model", modelName(model))],
                unit: 1000
            )
        }
    }
}
