import NumericCore
import Testing
import VectorKernels

@Suite(.serialized) struct LevelTests {
  @Test func levelsAboveTheProcessorAreRefused() {
    #expect(throws: NumericError.self) { try CPULevel.select(5) }
    #expect(throws: NumericError.self) { try CPULevel.select(-1) }
    if CPULevel.available.rawValue < 4 { #expect(throws: NumericError.self) { try CPULevel.select(4) } }
  }

  @Test func aChosenLevelIsInUse() throws {
    let saved = CPULevel.current
    try CPULevel.select(CPULevel.available.rawValue)
    #expect(CPULevel.current == CPULevel.available)
    try CPULevel.select(saved.rawValue)
  }
}
