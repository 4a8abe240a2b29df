/// All nonlinearities that the core knows, by family.
public enum Catalogue {
  /// Every entry.
  public static let entries: [ActivationEntry] =
    rectifiers + sigmoidals + smoothRectifiers + periodics + exponentials + polynomials + userFunctions

  private static let byCode = Dictionary(entries.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
  private static let byName = Dictionary(entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

  /// The entry of a number in op tables; nil where there is none.
  public static func entry(code: Int32) -> ActivationEntry? { byCode[code] }

  /// The entry of a name; nil where there is none.
  public static func entry(named name: String) -> ActivationEntry? { byName[name] }
}
