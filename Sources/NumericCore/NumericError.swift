/// A failure that a caller can act on, as a value: what was required, what came, and where.
///
/// Every throwing function of the core throws only this type; the C ABI copies it into `ntk_error`.
public struct NumericError: Error, Equatable, Sendable {
  /// What kind of failure it is; the C ABI uses the same numbers (`ntk_status`).
  public enum Kind: Int32, Sendable {
    case invalidArgument = 1
    case outOfMemory = 2
    case notPositiveDefinite = 3
    case cancelled = 4
    case overflow = 5
    case notConverged = 6
    case callbackFailed = 7
    case `internal` = 8
  }

  /// What kind of failure it is.
  public var kind: Kind
  /// "[op] what is required. Received what."
  public var message: String
  /// First bad row and column, or a pivot; -1 where there is none.
  public var index: (Int, Int)
  /// Bytes that were needed.
  public var bytes: Int
  /// A number that belongs to the message (a jitter, a tolerance).
  public var value: Double

  /// A failure with its place and numbers.
  public init(_ kind: Kind, _ message: String, index: (Int, Int) = (-1, -1), bytes: Int = 0, value: Double = 0) {
    self.kind = kind
    self.message = message
    self.index = index
    self.bytes = bytes
    self.value = value
  }

  /// A bad argument.
  public static func invalid(_ message: String, index: (Int, Int) = (-1, -1)) -> NumericError {
    NumericError(.invalidArgument, message, index: index)
  }

  /// The caller asked to stop.
  public static let cancelled = NumericError(.cancelled, "[call] cancelled by the caller.")

  /// Same kind, message and place.
  public static func == (a: NumericError, b: NumericError) -> Bool {
    a.kind == b.kind && a.message == b.message && a.index == b.index
  }
}
