import Architectures
import VectorKernelTypes

/// A number of an array held per input: deviations, mixing angles, series coefficients.
typealias ArrayID = Int

/// What one layer does for each input alone: from the standard deviation of a unit before it to the one after it, and the arrays
/// that the pair step of the same layer reads.
struct RowStep {
  enum Action {
    /// homogeneity: the d in f(c x) = c^d f(x), where there is one.
    case dual(DualKind, parameters: [Double], arrays: [ArrayID], homogeneity: Double?)
    /// own: deviations before, times the root of the factor of K in the NTK. cosine, sine: the mixing angle of weights and bias;
    /// nil without bias.
    case dense(DenseLayer, ownRoot: Double, own: ArrayID, cosine: ArrayID?, sine: ArrayID?)
    case layerNorm(epsilon: Double, scale: ArrayID)
    case dropout(rate: Double)
    case sum(branches: [ArrayID], weights: [Double], shares: [ArrayID])
    case product(branches: [ArrayID])
    case series(SeriesSource, ratio: ArrayID, table: Int)
    case userDual(function: Int)
    case userQuadrature(function: Int, degree: Int)
  }

  var action: Action
  var input: ArrayID
  var output: ArrayID
  /// Position in the network, for error messages.
  var layer: String
}

/// What one layer does for each pair of inputs: a strip kernel, its slot and the arrays it reads on either side.
struct PairStep {
  enum Action {
    case dual(DualKind)
    case series(table: Int)
    case dense
    case scale
    case shrink(rate: Double)
    case sum
    case product
    case copy(from: Int)
    case uncorrelated
    case userDual(function: Int)
    case userQuadrature(function: Int, degree: Int)
  }

  var action: Action
  /// The state (gap and theta) that is replaced.
  var slot: Int
  /// The states that a fan-in reads.
  var branches: [Int] = []
  var rowArrays: [ArrayID] = []
  var colArrays: [ArrayID] = []
  /// Numbers for the strip kernel: the layer's own, the epilogue's from 8 on, long lists from 16 on.
  var parameters: [Double] = PairStep.parameters([])
  var epilogue: StripArguments.Epilogue = .none

  /// `own` numbers in the layout that strip kernels read.
  static func parameters(_ own: [Double], long: [Double] = []) -> [Double] {
    var all = own + [Double](repeating: 0, count: max(0, 16 - own.count))
    all += long
    return all + [0]
  }
}

/// The steps of a network for one pair of output blocks.
struct PointwiseProgram {
  var rowSteps: [RowStep]
  var colSteps: [RowStep]
  var pairSteps: [PairStep]
  var rowArrayCount: Int
  var colArrayCount: Int
  var rowTableCount: Int
  var colTableCount: Int
  var slotCount: Int
  /// Deviations of the inputs (array 0) and of the outputs, on either side.
  var rowOutput: ArrayID
  var colOutput: ArrayID
  /// Whether a layer calls the user's code.
  var usesUserFunctions: Bool
}
