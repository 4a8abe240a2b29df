import NumericCore

/// Takes sides through the row steps of one program, all of them step by step, because a Hermite series has one length for all inputs.
struct RowPass {
  let sides: [RowSide]
  /// What the caller calls each side.
  let names: [String]
  /// The largest deviation whose square the results' type can hold.
  let limit: Double

  /// Runs the steps and returns how each series was made: by `planned`, or, where that is nil, as these inputs need it.
  @discardableResult
  func run(_ steps: [RowStep], planned: [SeriesPlan]?) throws(NumericError) -> [SeriesPlan] {
    var made: [SeriesPlan] = []
    for step in steps {
      if step.curves { for (side, name) in zip(sides, names) { try ResultRange.checkBefore(step, side, name) } }
      if case .series(let source, let ratio, let table) = step.action {
        let plan = try series(source, step, planned.map { $0.count > table ? $0[table] : nil })
        made.append(plan)
        for side in sides {
          try checkCancelled()
          try side.fillSeries(source, input: step.input, output: step.output, ratio: ratio, table: table, plan: plan)
        }
      } else {
        for side in sides {
          try checkCancelled()
          try side.run(step)
        }
      }
      for (side, name) in zip(sides, names) { try side.check(step, limit, name) }
    }
    return made
  }

  private func series(
    _ source: SeriesSource, _ step: RowStep, _ planned: SeriesPlan??
  ) throws(NumericError) -> SeriesPlan {
    // Series have one plane per input or two; only values count here.
    let values = sides.map { $0.values(step.input) }
    guard let planned else {
      let all = Array(values.joined())
      let (terms, missed) = try sides[0].expansion(of: source).termsNeeded(all)
      let range = NumberRange(least: all.min() ?? 0, largest: all.max() ?? 0)
      return SeriesPlan(terms: terms, deviations: range, missed: missed)
    }
    guard let planned else { throw WordReader.damaged }
    for (deviations, name) in zip(values, names) {
      guard let i = deviations.firstIndex(where: { !planned.deviations.contains($0) }) else { continue }
      throw PointwisePlan.outside(planned.deviations, at: "before \(step.layer)", deviations[i], name, i)
    }
    return planned
  }
}
