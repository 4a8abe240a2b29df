#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The address space of a process that has a limit (RLIMIT_AS): what is asked there before others, who cannot fail, take memory.
public enum AddressSpace {
  /// Kept free for small objects of the Swift runtime, whose allocation ends the process where it fails.
  public static let headroom = 32 << 20

  /// Whether the process may not use more than a stated number of bytes.
  public static var isLimited: Bool {
    var limit = rlimit()
    #if canImport(Glibc)
      let status = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    #else
      let status = getrlimit(RLIMIT_AS, &limit)
    #endif
    return status == 0 && limit.rlim_cur < rlim_t(Int.max)
  }

  /// Whether `bytes` more could be mapped now; without a limit always.
  public static func hasRoom(_ bytes: Int) -> Bool {
    guard isLimited else { return true }
    guard let room = mmap(nil, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), room != MAP_FAILED else { return false }
    munmap(room, bytes)
    return true
  }

  /// Bytes mapped now; nil where Linux does not say.
  public static var used: Int? {
    guard let file = fopen("/proc/self/statm", "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, 128, file) != nil else { return nil }
    let pages = strtol(line, nil, 10)
    return pages > 0 ? pages &* sysconf(Int32(_SC_PAGESIZE)) : nil
  }
}
