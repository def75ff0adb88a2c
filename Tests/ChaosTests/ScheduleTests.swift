import Chaos
import Testing

@Suite struct ScheduleTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func theSeedDecidesEverything(_ seed: UInt64) {
    let first = ChaosSchedule(seed: seed, length: .seconds(600), devices: 5)
    let again = ChaosSchedule(seed: seed, length: .seconds(600), devices: 5)
    #expect(first == again)
    #expect(first.steps == again.steps)
    #expect(first != ChaosSchedule(seed: seed + 1, length: .seconds(600), devices: 5))
  }

  @Test func aSchedulesBeginningIsWhatItAlwaysWas() {
    // Figures name their seed; they mean nothing if its schedule changes unnoticed.
    let schedule = ChaosSchedule(
      seed: 7, length: .seconds(60), devices: 4, kinds: [.kill, .pause, .cut, .garbage])
    let text = schedule.waves.map { wave in
      wave.faults.map { fault in
        fault.kind.rawValue + (fault.device.map { " \($0)" } ?? "")
      }.joined(separator: ", ")
    }
    #expect(schedule.steadyDevice == 1)
    #expect(text == ["pause 2, garbage", "kill 0, cut 2", "pause 3, cut 0", "kill 3, garbage"])
  }

  @Test(arguments: [2, 4, 8], 1...20 as ClosedRange<UInt64>)
  func wavesCanBeCarriedOut(_ devices: Int, _ seed: UInt64) {
    let length = Duration.seconds(900)
    let schedule = ChaosSchedule(seed: seed, length: length, devices: devices)
    #expect(schedule.waves.count > 20)
    var end = Duration.zero
    for wave in schedule.waves {
      #expect((1...3).contains(wave.faults.count))
      let hit = wave.faults.compactMap(\.device)
      #expect(Set(hit).count == hit.count, "a device is hit once in a wave")
      #expect(hit.count < devices, "somebody is spared")
      #expect(hit.allSatisfy { (0..<devices).contains($0) })
      #expect(wave.faults.count(where: \.kind.facts.takesBrokerDown) <= 1)
      for fault in wave.faults {
        #expect(fault.start >= end + (end == .zero ? ChaosSchedule.calm : ChaosSchedule.pause))
        #expect(fault.start < fault.end)
        #expect((fault.device != nil) == fault.kind.facts.hitsDevice)
        #expect((fault.clockSeconds != 0) == (fault.kind == .clockStep))
        if fault.kind.facts.endsProcess { #expect(fault.device != schedule.steadyDevice) }
      }
      end = wave.end
    }
    #expect(end + ChaosSchedule.pause <= length)
    // Long enough for every kind.
    #expect(Set(schedule.waves.flatMap(\.faults).map(\.kind)) == Set(Fault.Kind.allCases))
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func stepsBeginAndEndEachFaultInOrder(_ seed: UInt64) {
    let schedule = ChaosSchedule(seed: seed, length: .seconds(300), devices: 6)
    var open: Set<Fault> = []
    var time = Duration.zero
    var settled = 0
    for step in schedule.steps {
      #expect(step.time >= time)
      time = step.time
      switch step.action {
      case .begin(let fault): #expect(open.insert(fault).inserted)
      case .end(let fault): #expect(open.remove(fault) != nil)
      case .settled(let since):
        #expect(open.isEmpty)
        #expect(step.time == since + ChaosSchedule.returnLimit)
        settled += 1
      }
    }
    #expect(open.isEmpty)
    #expect(settled == schedule.waves.count)
  }

  @Test func onlyTheKindsAskedForHappen() {
    let schedule = ChaosSchedule(seed: 3, length: .seconds(120), devices: 4, kinds: [.pause, .cut])
    #expect(schedule.waves.flatMap(\.faults).allSatisfy { [.pause, .cut].contains($0.kind) })
    #expect(ChaosSchedule(seed: 3, length: .seconds(1), devices: 4).waves.isEmpty)
  }
}
