import Chaos
import Testing

@Suite struct StallScheduleTests {
  @Test(arguments: [1, 4], 1...5 as ClosedRange<UInt64>)
  func theSeedDecidesEverything(_ devices: Int, _ seed: UInt64) {
    func draw(_ seed: UInt64) -> [StallSchedule.Stall] {
      var schedule = StallSchedule(
        seed: seed, devices: devices, lengths: 50...300, pauses: 100...400)
      return (0..<200).map { _ in schedule.next() }
    }
    let stalls = draw(seed)
    #expect(stalls == draw(seed) && stalls != draw(seed + 100))
    #expect(zip(stalls, stalls.dropFirst()).allSatisfy { $0.start <= $1.start })
    #expect(Set(stalls.map(\.device)) == Set(0..<devices))
    for device in 0..<devices {
      let own = stalls.filter { $0.device == device }
      #expect(own.allSatisfy { (.milliseconds(50) ... .milliseconds(300)).contains($0.length) })
      for (stall, next) in zip(own, own.dropFirst()) {
        let pause = next.start - (stall.start + stall.length)
        #expect((.milliseconds(100) ... .milliseconds(400)).contains(pause))
      }
    }
  }
}
