import VectorKernelTypes

// Strip kernels of the layers that are not closed-form nonlinearities.

/// A Dense layer alone.
@inline(__always)
func denseStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  let affine = Affine<L>(arguments, arraysBefore: 0, parametersBefore: 8)
  let first = arguments.column / L.lanes
  if arguments.terms == 1 {
    for k in 0..<vectorCount(L.self, arguments) {
      affine.finish(gap: .load(arguments.gap, vector: k), slope: .one, vector: k, column: first &+ k, startsTheta: true)
    }
  } else {
    for k in 0..<vectorCount(L.self, arguments) {
      affine.finish(gap: .load(arguments.gap, vector: k), slope: .one, vector: k, column: first &+ k)
    }
  }
}

/// A Hermite series: rho' = sum a_n(i) a_n(j) rho^n, Td = r_i r_j sum n a_n(i) a_n(j) rho^(n-1), both by Horner's rule.
/// Arrays: r = deviation after / before, a_0, a_1, ... (each divided by the deviation after).
@inline(__always)
func seriesStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  let terms = arguments.terms
  let parity = Int(arguments.parameters[3])
  let affine = Affine<L>(arguments, arraysBefore: 1 &+ terms, parametersBefore: 8)
  let first = arguments.column / L.lanes
  let (rowArrays, colArrays, row) = (arguments.rowArrays, arguments.colArrays, arguments.row)
  for k in 0..<vectorCount(L.self, arguments) {
    let g = L.load(arguments.gap, vector: k)
    let size = g.withoutSign()
    let rho = L.negated(L.one - size, where: g.signBit())
    // A series of one parity is a polynomial in rho^2, half as long.
    let x = parity == 0 ? rho : rho * rho
    let (start, step) = parity == 0 ? (0, 1) : (parity == 1 ? 1 : 0, 2)
    var value = L.zero
    var derivative = L.zero
    var n = start &+ ((terms &- 1 &- start) / step) &* step
    while n >= start {
      let b = L.load(colArrays[1 &+ n], vector: first &+ k)
      let a = L.splat(rowArrays[1 &+ n], index: row)
      derivative = L.fma(derivative, x, value)
      value = L.fma(value, x, a * b)
      n = n &- step
    }
    if parity == 1 {  // rho P(rho^2)
      derivative = L.fma(L(2) * x, derivative, value)
      value = value * rho
    } else if parity == 2 {
      derivative = L(2) * rho * derivative
    }
    let b = L.load(colArrays[0], vector: first &+ k)
    let a = L.splat(rowArrays[0], index: row)
    let next = gap(ofCorrelation: value, equalInputs: L.equalInputs(g, a, b))
    affine.finish(gap: next, slope: derivative * (a * b), vector: k, column: first &+ k)
  }
}

/// The same, two vectors at a time where the strip begins with a whole pair of them: each term of Horner's rule waits for the one
/// before it, and a broadcast number serves both.
@inline(__always)
func pairedSeriesStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  if arguments.count > L.lanes, arguments.column % PairLanes<L>.lanes == 0 {
    seriesStrip(PairLanes<L>.self, arguments)
  } else {
    seriesStrip(L.self, arguments)
  }
}

/// theta <- theta u_i u_j.
@inline(__always)
func scaleStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  guard let theta = arguments.theta else { return }
  let first = arguments.column / L.lanes
  let rowValue = L.splat(arguments.rowArrays[0], index: arguments.row)
  for k in 0..<vectorCount(L.self, arguments) {
    let b = L.load(arguments.colArrays[0], vector: first &+ k)
    (L.load(theta, vector: k) * (rowValue * b)).store(theta, vector: k)
  }
}

/// rho <- p0 rho for pairs of different inputs.
@inline(__always)
func shrinkStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  let factor = L(arguments.parameters[0])
  for k in 0..<vectorCount(L.self, arguments) {
    let g = L.load(arguments.gap, vector: k)
    let next = L.fma(factor, g.withoutSign(), L.one - factor)
    L.signed(next, negative: g.signBit()).store(arguments.gap, vector: k)
  }
}

/// Independent branches added: with e = a branch's share of the deviation and o = the sign of the new correlation,
/// 1 - o rho' = sum over branches of (e_i - e_j)^2 / 2 + e_i e_j (1 - o rho), again without cancellation.
@inline(__always)
func sumStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  guard let gaps = arguments.branchGaps else { return }
  let first = arguments.column / L.lanes
  for k in 0..<vectorCount(L.self, arguments) {
    var correlation = L.zero
    var towards = L.zero
    var away = L.zero
    for branch in 0..<arguments.terms {
      let g = L.load(gaps[branch], vector: k)
      let (negative, size) = (g.signBit(), g.withoutSign())
      let b = L.load(arguments.colArrays[branch], vector: first &+ k)
      let a = L.splat(arguments.rowArrays[branch], index: arguments.row)
      let (product, difference) = (a * b, a - b)
      let square = L(0.5) * difference * difference
      correlation = L.fma(product, L.negated(L.one - size, where: negative), correlation)
      towards = towards + L.fma(product, L.select(negative, L(2) - size, size), square)
      away = away + L.fma(product, L.select(negative, size, L(2) - size), square)
    }
    let turned = correlation < L.zero
    L.signed(L.select(turned, away, towards), negative: turned).store(arguments.gap, vector: k)
  }
  guard let theta = arguments.theta, let thetas = arguments.branchThetas else { return }
  for k in 0..<vectorCount(L.self, arguments) {
    var sum = L.zero
    for branch in 0..<arguments.terms {
      sum = L.fma(L(arguments.parameters[16 &+ branch]), .load(thetas[branch], vector: k), sum)
    }
    sum.store(theta, vector: k)
  }
}

/// Branches multiplied unit by unit: K = prod K_b, theta = sum_b theta_b prod_(c /= b) K_c.
@inline(__always)
func productStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  guard let gaps = arguments.branchGaps else { return }
  let first = arguments.column / L.lanes
  for k in 0..<vectorCount(L.self, arguments) {
    var gap = L.zero
    var turned = L.one < L.zero
    var kernel = L.one
    var theta = L.zero
    for branch in 0..<arguments.terms {
      let g = L.load(gaps[branch], vector: k)
      let (negative, size) = (g.signBit(), g.withoutSign())
      if let thetas = arguments.branchThetas {
        let b = L.load(arguments.colArrays[branch], vector: first &+ k)
        let a = L.splat(arguments.rowArrays[branch], index: arguments.row)
        let covariance = (a * b) * L.negated(L.one - size, where: negative)
        theta = L.fma(theta, covariance, kernel * L.load(thetas[branch], vector: k))
        kernel = kernel * covariance
      }
      // 1 - |r s| = (1 - |r|) + (1 - |s|) - (1 - |r|)(1 - |s|)
      gap = gap + size - gap * size
      turned = L.differ(turned, negative)
    }
    L.signed(gap, negative: turned).store(arguments.gap, vector: k)
    if let out = arguments.theta { theta.store(out, vector: k) }
  }
}

/// Inner products of rows, times the inverse lengths, as signed gaps; also the smallest of them.
@inline(__always)
func gapFromProductStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  let first = arguments.column / L.lanes
  let rowValue = L.splat(arguments.rowArrays[0], index: arguments.row)
  var least = L.one
  for k in 0..<vectorCount(L.self, arguments) {
    let inverse = rowValue * L.load(arguments.colArrays[0], vector: first &+ k)
    let rho = L.load(arguments.gap, vector: k) * inverse
    let size = L.max(L.one - rho.magnitude(), .zero)
    least = L.min(least, size)
    L.signed(size, negative: rho < L.zero).store(arguments.gap, vector: k)
  }
  if let smallest = arguments.smallest { smallest.pointee = least.smallestLane() }
}

/// Covariances s_i s_j rho in the place of the gaps.
@inline(__always)
func covarianceStrip<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) {
  let first = arguments.column / L.lanes
  let rowValue = L.splat(arguments.rowArrays[0], index: arguments.row)
  for k in 0..<vectorCount(L.self, arguments) {
    let g = L.load(arguments.gap, vector: k)
    let b = L.load(arguments.colArrays[0], vector: first &+ k)
    ((rowValue * b) * L.negated(L.one - g.withoutSign(), where: g.signBit())).store(arguments.gap, vector: k)
  }
}

@inline(__always)
private func vectorCount<L: Lanes>(_ type: L.Type, _ arguments: borrowing StripArguments) -> Int {
  (arguments.count &+ L.lanes &- 1) / L.lanes
}
