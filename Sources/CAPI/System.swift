import CNTKSwift
import NumericCore
import Synchronization
import VectorKernels

private let versionText = Array("0.1.0".utf8CString)

// Lives for the whole process, so callers may keep the pointer.
nonisolated(unsafe) private let versionPointer: UnsafePointer<CChar> = {
  let copy = UnsafeMutablePointer<CChar>.allocate(capacity: versionText.count)
  for (i, c) in versionText.enumerated() { copy[i] = c }
  return UnsafePointer(copy)
}()

@_cdecl("ntk_version") @implementation
public func ntk_version() -> UnsafePointer<CChar>! { versionPointer }

@_cdecl("ntk_cpu_level") @implementation
public func ntk_cpu_level() -> Int32 { Int32(CPULevel.current.rawValue) }

@_cdecl("ntk_cpu_level_available") @implementation
public func ntk_cpu_level_available() -> Int32 { Int32(CPULevel.available.rawValue) }

@_cdecl("ntk_set_cpu_level") @implementation
public func ntk_set_cpu_level(_ level: Int32, _ error: UnsafeMutablePointer<ntk_error>!) -> Int32 {
  guarded(error) { () throws(NumericError) in try CPULevel.select(Int(level)) }
}

@_cdecl("ntk_cpu_count") @implementation
public func ntk_cpu_count() -> Int32 { Int32(clamping: Machine.cpuCount) }

/// Who is asked by functions that take no `ntk_call`.
let interruptOfAll = Mutex<ntk_interrupt?>(nil)

@_cdecl("ntk_set_interrupt") @implementation
public func ntk_set_interrupt(_ interrupt: ntk_interrupt!) { interruptOfAll.withLock { $0 = interrupt } }

@_cdecl("ntk_available_memory") @implementation
public func ntk_available_memory() -> Int64 { Int64(Machine.availableMemory) }
