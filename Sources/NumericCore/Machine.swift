import CNTKSwift

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What this process may use of the machine.
public enum Machine {
  /// CPUs this process may run on (its affinity mask, not the machine's total).
  public static var cpuCount: Int {
    let allowed = Int(ntk_probe_cpu_count())
    return allowed > 0 ? allowed : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }

  /// Bytes of memory available without swapping: what Linux states, or else free pages.
  public static var availableMemory: Int {
    if let stated = availableFromProc() { return stated }
    return max(0, sysconf(Int32(_SC_PHYS_PAGES)) &* sysconf(Int32(_SC_PAGESIZE)) / 2)
  }

  /// Seconds on a clock that only goes forward.
  public static var seconds: Double {
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9
  }

  private static func availableFromProc() -> Int? {
    guard let file = fopen("/proc/meminfo", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    while fgets(&line, 128, file) != nil {
      let isAvailable = line.withUnsafeBufferPointer { strncmp($0.baseAddress!, "MemAvailable:", 13) == 0 }
      guard isAvailable else { continue }
      let kilobytes = line.withUnsafeBufferPointer { strtol($0.baseAddress! + 13, nil, 10) }
      return kilobytes > 0 ? kilobytes &* 1024 : nil
    }
    return nil
  }
}
