/// Tables of counts by number, with one row more at the end for what has none. Pure.
///
/// A configuration that names more makes them longer: the last row stays last, the others keep their numbers.
enum MetricsRows {
    /// Pairs of places: in a table of `few` numbered rows, and in one of `many`, which is `few` or more.
    ///
    /// - Parameter width: counts in a row.
    static func each(of few: Int, in many: Int, width: Int = 1, _ body: (_ old: Int, _ new: Int) -> Void) {
        for row in 0...few {
            let place = row < few ? row : many
            for column in 0..<width { body(row * width + column, place * width + column) }
        }
    }

    /// The same of a table whose rows are such tables themselves, by client and then by model.
    static func each(
        clients: (few: Int, many: Int),
        models: (few: Int, many: Int),
        width: Int,
        _ body: (_ old: Int, _ new: Int) -> Void
    ) {
        each(of: clients.few, in: clients.many) { oldClient, newClient in
            each(of: models.few, in: models.many, width: width) { oldPlace, newPlace in
                body(
                    oldClient * (models.few + 1) * width + oldPlace,
                    newClient * (models.many + 1) * width + newPlace
                )
            }
        }
    }
}
