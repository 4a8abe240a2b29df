#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
import Synchronization

/// Threads that go through one loop together, for work that is too short to start threads for at every step.
///
/// `body(team, member)` runs once on each of `team.size` threads, `member` in 0..<size; member 0 is the calling thread. `team.wait()`
/// is a barrier: what was written before it is seen by all members after it. Where the system gives fewer threads the team is smaller,
/// so a result may depend on `team.size` only where it depends on the order of additions anyway.
public func runTeam(of threads: Int, _ body: (_ team: Team, _ member: Int) -> Void) {
  withoutActuallyEscaping(body) { escaping in
    let team = Team(escaping)
    var helpers: [pthread_t] = []
    for member in 1..<max(threads, 1) {
      guard let helper = team.spawn(member) else { break }
      helpers.append(helper)
    }
    team.start(size: helpers.count + 1)
    escaping(team, 0)
    for helper in helpers { pthread_join(helper, nil) }
  }
}

/// The threads of one `runTeam` call and their barrier.
public final class Team: @unchecked Sendable {
  /// How many members take part.
  public private(set) var size = 1
  private let body: (Team, Int) -> Void
  private let generation = Atomic<Int>(0)
  private let arrived = Atomic<Int>(0)
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  fileprivate init(_ body: @escaping (Team, Int) -> Void) {
    self.body = body
    pthread_mutex_init(lock, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(lock)
    changed.deallocate()
    lock.deallocate()
  }

  /// Returns when all members have called it.
  public func wait() {
    guard size > 1 else { return }
    let present = generation.load(ordering: .acquiring)
    if arrived.add(1, ordering: .acquiringAndReleasing).newValue == size {
      arrived.store(0, ordering: .relaxed)
      advance()
    } else {
      sleep(until: present)
    }
  }

  fileprivate func start(size: Int) {
    self.size = size
    advance()
  }

  fileprivate func spawn(_ member: Int) -> pthread_t? {
    let seat = Unmanaged.passRetained(Seat(team: self, member: member))
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    guard pthread_create(&thread, nil, runSeat, seat.toOpaque()) == 0 else {
      seat.release()
      return nil
    }
    return thread
  }

  fileprivate func work(_ member: Int) {
    sleep(until: 0)  // the size of the team is not known before
    body(self, member)
  }

  private func advance() {
    pthread_mutex_lock(lock)
    generation.add(1, ordering: .releasing)
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(lock)
  }

  /// Waits while the generation is `present`: a few microseconds awake, then asleep, so that a busy machine loses nothing.
  private func sleep(until present: Int) {
    for _ in 0..<4000 where generation.load(ordering: .acquiring) != present { return }
    pthread_mutex_lock(lock)
    while generation.load(ordering: .acquiring) == present { pthread_cond_wait(changed, lock) }
    pthread_mutex_unlock(lock)
  }
}

/// What a member's thread is started with.
private final class Seat {
  let team: Team
  let member: Int
  init(team: Team, member: Int) {
    self.team = team
    self.member = member
  }
}

#if canImport(Darwin)
  private func runSeat(_ raw: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? { sitDown(raw) }
#else
  private func runSeat(_ raw: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? { raw.flatMap(sitDown) }
#endif

private func sitDown(_ raw: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  let seat = Unmanaged<Seat>.fromOpaque(raw).takeRetainedValue()
  seat.team.work(seat.member)
  return nil
}
