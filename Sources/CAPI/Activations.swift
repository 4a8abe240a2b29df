import Activations
import CNTKSwift
import NumericCore

@_cdecl("ntk_activation_count") @implementation
public func ntk_activation_count() -> Int64 { Int64(Catalogue.entries.count) }

@_cdecl("ntk_activation_describe") @implementation
public func ntk_activation_describe(
  _ index: Int64, _ info: UnsafeMutablePointer<ntk_activation_info>!, _ error: UnsafeMutablePointer<ntk_error>!
) -> Int32 {
  guarded(error) { () throws(NumericError) in
    guard let info else { throw .invalid("[activation] needs room for its description. Received a null pointer.") }
    guard index >= 0, index < Int64(Catalogue.entries.count) else {
      throw .invalid("[activation] index must be in 0..<\(Catalogue.entries.count). Received \(index).")
    }
    let entry = Catalogue.entries[Int(index)]
    var described = ntk_activation_info()
    described.code = entry.code
    write(entry.name, into: &described.name)
    try withUnsafeMutableBytes(of: &described.parameters) { (bytes) throws(NumericError) in
      let room = bytes.bindMemory(to: ntk_activation_parameter.self)
      guard entry.parameters.count <= room.count else {
        throw NumericError(.internal, "[activation] \(entry.name) has more parameters than a description holds.")
      }
      for (i, parameter) in entry.parameters.enumerated() { room[i] = describe(parameter) }
    }
    described.parameter_count = Int32(entry.parameters.count)
    info.pointee = described
  }
}

private func describe(_ parameter: ActivationParameter) -> ntk_activation_parameter {
  var described = ntk_activation_parameter()
  write(parameter.name, into: &described.name)
  described.standard = parameter.standard ?? .nan
  (described.least, described.most) = (-.infinity, .infinity)
  func set(_ kind: ntk_parameter_kind, _ least: Double, _ most: Double, isOpen: Bool = false) {
    described.kind = Int32(kind.rawValue)
    (described.least, described.most, described.is_open) = (least, most, isOpen ? 1 : 0)
  }
  switch parameter.domain {
  case .real(let least, let most, let isOpen): set(NTK_REAL_PARAMETER, least, most, isOpen: isOpen)
  case .integer(let range): set(NTK_INTEGER_PARAMETER, Double(range.lowerBound), Double(range.upperBound))
  case .flag: set(NTK_FLAG_PARAMETER, 0, 1)
  case .list(let counts): set(NTK_LIST_PARAMETER, Double(counts.lowerBound), Double(counts.upperBound))
  case .function: set(NTK_FUNCTION_PARAMETER, 0, .infinity)
  }
  return described
}

/// Copies a text that fits, with its zero.
private func write<Room>(_ text: String, into room: inout Room) {
  withUnsafeMutableBytes(of: &room) { room in
    for (i, byte) in text.utf8.prefix(room.count - 1).enumerated() { room[i] = byte }
  }
}
