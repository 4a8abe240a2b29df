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
        let dual = plan.terms == 0 ? try self.table(source, step, plan) : nil
        for side in sides {
          try checkCancelled()
          if let dual {
            try side.fillTable(dual, step)
          } else {
            try side.fillSeries(source, input: step.input, output: step.output, ratio: ratio, table: table, plan: plan)
          }
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
      let terms = try sides[0].expansion(of: source).termsNeeded(all) ?? 0
      let range = NumberRange(least: all.min() ?? 0, largest: all.max() ?? 0)
      var plan = SeriesPlan(terms: terms, nodes: 0, deviations: range, leastPositive: all.lazy.filter { $0 > 0 }.min() ?? 1)
      plan.nodes = SeriesInterpolation.nodes(source, plan, all)
      return plan
    }
    guard let planned else { throw WordReader.damaged }
    for (deviations, name) in zip(values, names) {
      guard let i = deviations.firstIndex(where: { !planned.deviations.contains($0) }) else { continue }
      throw PointwisePlan.outside(planned.deviations, at: "before \(step.layer)", deviations[i], name, i)
    }
    return planned
  }

  /// The table of a function whose series does not converge.
  private func table(_ source: SeriesSource, _ step: RowStep, _ plan: SeriesPlan) throws(NumericError) -> DualTable {
    let (least, largest) = (plan.leastPositive, plan.deviations.largest)
    guard largest <= DualTable.largestDeviation else {
      throw NumericError(
        .notConverged,
        "[\(step.layer)] a dual without closed form needs standard deviations of at most \(DualTable.largestDeviation). "
          + "Received \(largest): scale the inputs or the weights.", value: largest)
    }
    let needsDerivatives = sides[0].planes > 1
    let key = source.activation.map {
      TableCache.Key(
        activation: $0, tolerance: source.tolerance, least: least, largest: largest, hasZero: plan.deviations.least <= 0,
        needsDerivatives: needsDerivatives)
    }
    if let known = key.flatMap(TableCache.table) { return known }
    let expansion = sides[0].expansion(of: source)
    let table = try DualTable.make(
      (least, largest, plan.deviations.least <= 0), tolerance: source.tolerance, parity: source.parity,
      needsDerivatives: needsDerivatives
    ) { (x) throws(NumericError) in try expansion.values(x) }
    guard table.error <= source.tolerance else {
      throw NumericError(
        .notConverged,
        "[\(step.layer)] the dual for standard deviations from \(least) to \(largest) must be found to tol = \(source.tolerance). "
          + "Received an error of about \(table.error): raise tol, or give functions with kinks other than at 0 as PiecewiseLinear.",
        value: table.error)
    }
    if let key { TableCache.keep(table, key) }
    return table
  }
}
