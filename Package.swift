// swift-tools-version: 6.0
import PackageDescription

// Speed settings of the numeric modules. `-Ounchecked` removes the traps that no input may reach anyway;
// `-fno-math-errno` lets a square root be one instruction.
let fast: [SwiftSetting] = [
  .unsafeFlags(
    ["-Ounchecked", "-enforce-exclusivity=unchecked", "-Xcc", "-fno-math-errno"], .when(configuration: .release))
]

// VectorKernels is compiled once per CPU level from the same (linked) sources; VectorKernels itself picks one.
#if arch(x86_64)
  let levels = ["2", "3", "4"]
  func march(_ level: String) -> [SwiftSetting] {
    let flags = ["-Xcc", "-march=x86-64-v\(level)", "-Xcc", "-fno-math-errno"]
    return [
      .unsafeFlags(flags + ["-Ounchecked", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
      .unsafeFlags(flags + ["-O"], .when(configuration: .debug)),
    ] + (level == "2" ? [] : [.define("NTK_FMA")]) + (level == "4" ? [.define("NTK_AVX512")] : [])
  }
#else
  let levels = ["0"]
  func march(_ level: String) -> [SwiftSetting] { fast + [.define("NTK_FMA")] }
#endif

let vectorLevels: [Target] = levels.map {
  .target(
    name: "VectorKernelsV\($0)", dependencies: ["VectorKernelTypes", "CVectorSeeds"], path: "Sources/VectorKernels/Level\($0)",
    swiftSettings: march($0))
}

// Random numbers in bulk, compiled per CPU level like the kernels, and a target of their own so that an edit compiles in seconds.
let randomLevels: [Target] = levels.map {
  .target(name: "VectorKernelRandomV\($0)", path: "Sources/VectorKernels/RandomLevel\($0)", swiftSettings: march($0))
}

// Products of rows that have one order of summation: likewise.
let productLevels: [Target] = levels.map {
  .target(name: "VectorKernelProductV\($0)", path: "Sources/VectorKernels/ProductLevel\($0)", swiftSettings: march($0))
}

// Only programs need the BLAS library, not the static core: the folder comes from the environment so that it does not
// change the manifest of the core (pip's isolated builds put it somewhere new every time).
let blas: [LinkerSetting] = {
  guard let folder = Context.environment["NTKSWIFT_OPENBLAS_DIR"] else { return [.linkedLibrary("scipy_openblas")] }
  return [
    .linkedLibrary("scipy_openblas"), .unsafeFlags(["-L\(folder)", "-Xlinker", "-rpath", "-Xlinker", folder]),
  ]
}()

func test(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: dependencies + ["TestSupport"], path: "Tests/\(name)Tests", resources: resources,
    linkerSettings: blas)
}

// Each module's README stays beside its sources.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, exclude: ["README.md"], swiftSettings: fast)
}

let package = Package(
  name: "ntkswift",
  products: [.library(name: "ntkcore", type: .static, targets: ["CAPI"])],
  targets: [
    .target(name: "CNTKSwift"),
    .target(name: "CVectorSeeds"),
    .target(name: "COpenBLAS"),
    module("NumericCore", ["CNTKSwift"]),
    module("LinearAlgebra", ["NumericCore", "COpenBLAS"]),
    module("Dynamics", ["NumericCore"]),
    .target(name: "VectorKernelTypes", path: "Sources/VectorKernels/Types", swiftSettings: fast),
    .target(
      name: "VectorKernels",
      dependencies: ["VectorKernelTypes", "CNTKSwift", "NumericCore"] + vectorLevels.map { .target(name: $0.name) },
      path: "Sources/VectorKernels/Choice", swiftSettings: fast),
    .target(
      name: "VectorKernelRandom", dependencies: ["VectorKernels"] + randomLevels.map { .target(name: $0.name) },
      path: "Sources/VectorKernels/RandomChoice", swiftSettings: fast),
    .target(
      name: "VectorKernelProduct", dependencies: ["VectorKernels"] + productLevels.map { .target(name: $0.name) },
      path: "Sources/VectorKernels/ProductChoice", swiftSettings: fast),
    module("Activations", ["NumericCore"]),
    module("Architectures", ["CNTKSwift", "NumericCore", "Activations"]),
    module(
      "InfiniteWidth",
      ["CVectorSeeds", "NumericCore", "VectorKernels", "VectorKernelProduct", "Activations", "Architectures"]),
    module("FiniteWidth", ["NumericCore", "LinearAlgebra", "Activations", "Architectures"]),
    module("KernelMethods", ["NumericCore", "LinearAlgebra", "Dynamics"]),
    module("KernelOperators", ["NumericCore", "LinearAlgebra", "InfiniteWidth"]),
    module(
      "TrainingRegimes",
      ["NumericCore", "LinearAlgebra", "Dynamics", "VectorKernelRandom", "Activations", "Architectures", "FiniteWidth"]),
    module("Spectra", ["NumericCore", "LinearAlgebra", "COpenBLAS"]),
    module(
      "CAPI",
      [
        "CNTKSwift", "NumericCore", "LinearAlgebra", "Dynamics", "VectorKernels", "Activations", "Architectures", "InfiniteWidth",
        "FiniteWidth", "KernelMethods", "KernelOperators", "TrainingRegimes", "Spectra", "VectorKernelRandom",
        "VectorKernelProduct",
      ]),
    .target(
      name: "TestSupport",
      dependencies: [
        "NumericCore", "LinearAlgebra", "Activations", "Architectures", "InfiniteWidth", "FiniteWidth", "VectorKernelProduct",
      ],
      path: "Tests/TestSupport"),
    test("NumericCore", ["NumericCore"]),
    test("LinearAlgebra", ["LinearAlgebra"]),
    test("Dynamics", ["Dynamics"]),
    test("VectorKernels", ["VectorKernels", "VectorKernelTypes"]),
    test("Activations", ["Activations"]),
    test("Architectures", ["Architectures", "Activations"]),
    test("InfiniteWidth", ["InfiniteWidth", "Activations", "Architectures", "VectorKernels", "VectorKernelProduct"]),
    test("FiniteWidth", ["FiniteWidth", "Activations", "Architectures"]),
    test("KernelMethods", ["KernelMethods"]),
    test("TrainingRegimes", ["TrainingRegimes", "Dynamics", "FiniteWidth", "Activations", "Architectures"]),
    test("Spectra", ["Spectra"]),
    test("CAPI", ["CAPI", "CNTKSwift", "Activations"]),
  ] + vectorLevels + randomLevels + productLevels
)
