import FlightReport
import Foundations
import JSONCoding
import Testing
import WireProtocol

@Suite struct ReportBuilderTests {
  @Test func phasesAreSetsOfDevices() throws {
    var script = try Script()
    for n in 0..<100 {
      try script.answer(
        at: 1 + Double(n) / 10, alive: n < 60 ? ["d1", "d0"] : ["d0"],
        label: n % 4 == 0 ? 2 : 1, latency: n < 60 ? 10 : 30, missing: n < 60 ? [] : ["d1"])
    }
    for n in 0..<20 { try script.answer(at: 11 + Double(n) / 10, alive: ["d0", "d1"]) }
    let report = script.builder.report
    let run = try #require(report.runs.first)
    #expect(run.phases.map(\.alive) == [["d0", "d1"], ["d0"]])
    #expect(run.phases.map(\.frames) == [80, 40] && run.total.frames == 120)
    #expect(run.phases[0].top1?.correct == 45 + 20 && run.phases[0].top1?.of == 80)
    #expect(run.phases[0].top5?.correct == 45 + 20, "2 is second, 1 is right")
    #expect(run.phases[1].top1?.accuracy == 0.75)
    #expect(run.phases[1].degradedFrames == 40 && run.phases[1].fills == ["lost": 40])
    #expect(run.phases[1].filledDevices == ["d1": 40] && run.phases[1].filledNeurons == 160)
    #expect(run.stretches.map(\.phase) == [0, 1, 0])
    // The first frame took 10 ms, the others a tenth of a second each.
    #expect(abs(run.phases[0].seconds - (0.01 + 5.9 + 2)) < 1e-6)
    #expect(abs((run.phases[1].framesPerSecond ?? 0) - 10) < 1e-6)
    #expect(abs((run.phases[1].latency?.p50 ?? 0) - 30) < 0.3)
    let low = try #require(run.phases[1].top1)
    #expect(low.low < 0.75 && low.high > 0.75 && low.low > 0.5)
  }

  @Test func energyIsTheSumOfTheIntervalsAndPerImageOfTheBusyOnes() throws {
    var script = try Script()
    try script.metrics("d0", at: 1, frames: 0, joules: 3)
    try script.metrics("d0", at: 2, frames: 10, joules: 5)
    try script.metrics("d0", at: 3, frames: 30, joules: 7)
    try script.metrics("d0", at: 4, frames: 0, joules: 3)
    let device = try #require(script.builder.report.devices.first)
    let energy = try #require(device.figures.energy)
    #expect(energy.joules == 18 && energy.joulesPerImage == 12.0 / 40 && energy.activeWatts == 6)
    #expect(energy.maximumWatts == 7 && energy.sources == ["ina3221"] && !energy.isEstimated)
    #expect(device.figures.memory?.peak == 1000 && device.figures.memory?.maximum == 999)
    #expect(
      device.figures.work.bytesOutPerImage == 100 && device.figures.work.bytesInPerImage == 300)
    let shares = try #require(device.figures.work.shares)
    #expect(abs(shares.computing - 0.3) < 1e-9 && abs(shares.communicating - 0.1) < 1e-9)
    #expect(device.stages.first?.whole?.frames == 40)
    #expect(device.stages.first?.whole?.compute == 30)
  }

  @Test func metricsBelongToAPhaseIfTheirWholeIntervalDoes() throws {
    var script = try Script()
    for n in 0..<100 {
      try script.answer(at: 10 + Double(n) / 10, alive: n < 50 ? ["d0", "d1"] : ["d0"])
      // Just after 11, 12 and so on. The second phase begins at 15: the second that ends just after
      // that lies in neither.
      if n % 10 == 0, n > 0 {
        try script.metrics("d0", at: 10.01 + Double(n) / 10, frames: 10, joules: Double(n))
      }
    }
    let phases = try #require(script.builder.report.runs.first).phases
    #expect(phases[0].devices.first?.energy?.joules == 100.0)
    #expect(phases[1].devices.first?.energy?.joules == 300.0)
    #expect(phases[1].notes.isEmpty)
  }

  @Test func whatComesTwiceCountsOnceAndGapsAreTold() throws {
    var script = try Script()
    for number: UInt64 in [1, 2, 2, 3, 1, 6, 5] {
      try script.answer(at: Double(number), alive: ["d0"], sequence: number)
    }
    let report = script.builder.report
    let sequence = try #require(report.runs.first).sequence
    #expect(sequence.received == 5 && sequence.repeated == 2 && sequence.missing == 1)
    #expect(sequence.reordered == 1 && report.runs.first?.total.frames == 5)
    #expect(report.notes.contains { $0.contains("1 messages are missing") })
    #expect(report.notes.contains { $0.contains("2 messages came twice") })
  }

  @Test func runsOfADeviceAreKeptApart() throws {
    var script = try Script()
    try script.metrics("d0", at: 1, frames: 10, joules: 1, epoch: 1, peak: 2000)
    try script.metrics("d0", at: 2, frames: 10, joules: 2, epoch: 2, peak: 1000)
    // A message of the first run that comes late, and the number it shares with the second.
    try script.metrics("d0", at: 3, frames: 10, joules: 4, epoch: 1, peak: 2000)
    let device = try #require(script.builder.report.devices.first)
    #expect(device.epochs.map(\.epoch) == [1, 2])
    #expect(device.epochs.map { $0.figures.energy?.joules } == [5, 2])
    #expect(device.figures.energy?.joules == 7 && device.figures.memory?.peak == 2000)
  }

  @Test func presenceOverTimeKnowsSilence() throws {
    var script = try Script()
    func presence(_ state: Presence.State, _ epoch: UInt64) -> Presence {
      Presence(state: state, epoch: epoch, heartbeatMilliseconds: 500, version: "1")
    }
    func beat(_ epoch: UInt64) -> Heartbeat {
      Heartbeat(epoch: epoch, sequence: 1, frame: 0, queue: 0, residentBytes: 1)
    }
    let topic = Topic.presence(device: "d0")
    try script.send(topic, presence(.ready, 2), at: 0)
    for n in 0...4 { try script.send(.heartbeat(device: "d0"), beat(2), at: Double(n) / 2) }
    // A will of an earlier run.
    try script.send(topic, presence(.lost, 1), at: 2.1)
    try script.send(.heartbeat(device: "d0"), beat(2), at: 6)
    try script.send(topic, presence(.lost, 2), at: 6.5)
    try script.send(topic, presence(.ready, 3), at: 9)
    try script.send(.heartbeat(device: "d0"), beat(3), at: 9.5)
    try script.send(.heartbeat(device: "d0"), beat(3), at: 10)
    let presences = try #require(script.builder.report.devices.first).presence
    #expect(presences.map(\.state) == ["ready", "silent", "ready", "lost", "ready"])
    #expect(presences.map(\.startSeconds).map { ($0 * 10).rounded() / 10 } == [0, 3.5, 6, 6.5, 9])
    #expect(presences.last.map { ($0.endSeconds * 10).rounded() / 10 } == 10)
  }

  @Test func refusedAnswersAndLabelsOfTheirOwnAreNeitherRightNorWrong() throws {
    var script = try Script()
    for n in 0..<10 { try script.answer(at: 1 + Double(n), alive: ["d0"]) }
    for n in 0..<5 {
      try script.answer(at: 20 + Double(n), alive: ["d0"]) {
        $0.status = .refused
        ($0.label, $0.confidence, $0.top5) = (nil, nil, [])
      }
    }
    try script.answer(at: 30, alive: ["d0"]) { $0.task = "multilabel" }
    let run = try #require(script.builder.report.runs.first)
    #expect(run.total.frames == 16 && run.total.top1?.correct == 10 && run.total.top1?.of == 10)
    #expect(run.phases[0].notes.contains { $0.contains("5 answers were not good enough") })
  }

  @Test func littleIsSaidToBeLittle() throws {
    var script = try Script()
    try script.answer(at: 1, alive: ["d0"], expected: nil)
    let run = try #require(script.builder.report.runs.first)
    #expect(run.total.top1 == nil)
    #expect(run.phases[0].notes.contains { $0.contains("1 frames only") })
    #expect(run.phases[0].notes.contains { $0.contains("0 of 1") })
    #expect(try Script().builder.report.notes.contains { $0.contains("no answers") })
  }

  @Test func reportsComeBackFromJSON() throws {
    var script = try Script()
    for n in 0..<20 { try script.answer(at: Double(n), alive: ["d0"]) }
    try script.metrics("d0", at: 5, frames: 10, joules: 1)
    let report = script.builder.report
    #expect(try FlightReport(json: try JSON.encode(report), source: "r.json") == report)
    var newer = report
    newer.version = 2
    #expect(throws: MartletError.self) {
      try FlightReport(json: try JSON.encode(newer), source: "r.json")
    }
    #expect(throws: MartletError.self) {
      try FlightReport(json: Array("{\"format\":\"x\",\"version\":1}".utf8), source: "r.json")
    }
  }
}
