// Nonlinearities that the caller's code evaluates. What the numbers of the functions mean, the caller knows.

let userFunctions: [ActivationEntry] = [
  ActivationEntry(
    code: 115, name: "ElementwiseNumerical",
    // deg 0: a Hermite expansion to `tol` in place of quadrature with `deg` nodes a side.
    parameters: [.function, ActivationParameter("deg", .integer(0...512), standard: 0), .tolerance],
    source: "Hermite expansion, or two-dimensional Gauss-Hermite quadrature", function: nil,
    dual: {
      $0[1] == 0
        ? .userExpansion(function: Int($0[0]), tolerance: $0[2]) : .userQuadrature(function: Int($0[0]), degree: Int($0[1]))
    }, userFunction: { Int($0[0]) }, text: { _ in "a function of your own" }),
  ActivationEntry(
    code: 117, name: "Elementwise", parameters: [.function], source: "the caller", function: nil,
    dual: { .userDual(function: Int($0[0])) }, userFunction: { Int($0[0]) },
    text: { _ in "a kernel function of your own" }),
]
