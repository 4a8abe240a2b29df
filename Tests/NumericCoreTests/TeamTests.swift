import NumericCore
import Synchronization
import Testing

@Suite struct TeamTests {
  /// Each member writes its part, all wait, each reads the parts of all: a barrier that lets one through early fails.
  @Test(arguments: [1, 2, 7]) func membersMeetAtTheBarrier(threads: Int) throws {
    let parts = try Workspace<Int>(64)
    let (early, size) = (Tally(), Tally())
    runTeam(of: threads) { team, member in
      if member == 0 { size.value.store(team.size, ordering: .relaxed) }
      for round in 1...500 {
        parts.pointer[member] = round
        team.wait()
        for other in 0..<team.size where parts.pointer[other] != round { early.value.add(1, ordering: .relaxed) }
        team.wait()
      }
    }
    #expect(early.value.load(ordering: .relaxed) == 0)
    #expect((1...threads).contains(size.value.load(ordering: .relaxed)))
  }

  @Test func everyMemberRunsOnce() {
    let runs = Tally()
    let members = Tally()
    for _ in 0..<200 {
      runTeam(of: 3) { team, member in
        runs.value.add(1, ordering: .relaxed)
        if member == 0 { members.value.add(team.size, ordering: .relaxed) }
      }
    }
    #expect(runs.value.load(ordering: .relaxed) == members.value.load(ordering: .relaxed))
  }
}

private final class Tally: Sendable {
  let value = Atomic<Int>(0)
}
