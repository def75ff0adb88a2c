import Foundations
import Inspection
import Testing
import WireProtocol

@Suite struct DeviceBoardTests {
  private func presence(_ state: Presence.State, epoch: UInt64 = 5) throws -> [UInt8] {
    try Presence(state: state, epoch: epoch, heartbeatMilliseconds: 500, version: "1").payload()
  }

  private func beat(epoch: UInt64 = 5, bytes: UInt64 = 1000) throws -> [UInt8] {
    try Heartbeat(epoch: epoch, sequence: 0, frame: 0, queue: 0, residentBytes: bytes).payload()
  }

  private func frames(
    _ frames: UInt64, sequence: UInt64, epoch: UInt64 = 5, fills: [String: UInt64] = [:]
  ) throws -> [UInt8] {
    var metric = FrameMetric(epoch: epoch, sequence: sequence, intervalMilliseconds: 2000)
    metric.frames = frames
    metric.fills = fills
    return try metric.payload()
  }

  @Test func aDeviceComesAndGoes() throws {
    var board = DeviceBoard()
    func state(_ time: Double) -> PeerState? { board.rows(at: seconds(time)).first?.device.state }
    board.receive(try presence(.ready), on: .presence(device: "d0"), at: seconds(1))
    #expect(state(1) == .unknown, "a retained word is no sign of life")
    board.receive(try beat(), on: .heartbeat(device: "d0"), at: seconds(2))
    #expect(
      state(2) == .alive && board.rows(at: seconds(3)).first?.device.beatAgeMilliseconds == 1000)
    #expect(state(4) == .suspect)
    board.receive(try presence(.lost), on: .presence(device: "d0"), at: seconds(4))
    #expect(state(4) == .lost)
    board.receive(try presence(.ready, epoch: 6), on: .presence(device: "d0"), at: seconds(5))
    board.receive(try beat(epoch: 5), on: .heartbeat(device: "d0"), at: seconds(5))
    #expect(state(5) == .unknown, "a beat of the run before")
    board.receive(try beat(epoch: 6, bytes: 7), on: .heartbeat(device: "d0"), at: seconds(6))
    #expect(state(6) == .alive && board.rows(at: seconds(6)).first?.device.residentBytes == 7)
  }

  @Test func ratesAndFillsComeFromMetrics() throws {
    var board = DeviceBoard()
    let topic = Topic.metric(device: "d0", kind: "frame")
    func row() throws -> DeviceBoard.Row { try #require(board.rows(at: seconds(9)).first) }
    board.receive(try presence(.ready), on: .presence(device: "d0"), at: seconds(1))
    board.receive(try beat(), on: .heartbeat(device: "d0"), at: seconds(8.9))
    board.receive(try frames(0, sequence: 1, fills: ["lost": 8]), on: topic, at: seconds(1))
    #expect(try row().framesPerSecond == 0)
    let second = try frames(300, sequence: 2, fills: ["lost": 2, "deadline": 2])
    // QoS 1 may bring it again.
    for _ in 0..<3 { board.receive(second, on: topic, at: seconds(3)) }
    #expect(try row().framesPerSecond == 150)
    #expect(try row().fills == ["lost": 10, "deadline": 2])
    // Another run counts from the beginning.
    board.receive(
      try frames(20, sequence: 1, epoch: 6, fills: ["lost": 1]), on: topic, at: seconds(5))
    board.receive(
      try frames(9, sequence: 7, epoch: 5, fills: ["lost": 99]), on: topic, at: seconds(6))
    #expect(try row().framesPerSecond == 10 && row().fills["lost"] == 11)
    // Many absurd counts are as many as can be counted.
    for sequence in 2..<3000 as Range<UInt64> {
      let metric = try frames(
        1, sequence: sequence, epoch: 6, fills: ["late": Epoch.maximum])
      board.receive(metric, on: topic, at: seconds(6))
    }
    #expect(try row().fills["late"] == .max)
    let energy = EnergyMetric(
      epoch: 6, sequence: 1, intervalMilliseconds: 1000, source: "estimate", joules: 1, watts: 2.5,
      frames: 1)
    board.receive(try energy.payload(), on: .metric(device: "d0", kind: "energy"), at: seconds(6))
    #expect(try row().watts == 2.5 && row().isEstimate)
  }

  @Test func hostileMessagesChangeNothingAndDevicesAreBounded() throws {
    var board = DeviceBoard()
    for payload in [[], Array("{}".utf8), Array("[[[".utf8), [UInt8](repeating: 0xff, count: 9999)]
    {
      for topic in [
        Topic.presence(device: "x"), .heartbeat(device: "x"), .metric(device: "x", kind: "frame"),
        .metric(device: "x", kind: "energy"), .metric(device: "x", kind: "other"), .plan,
      ] {
        board.receive(payload, on: topic, at: seconds(1))
      }
    }
    #expect(board.rows(at: seconds(1)).isEmpty)
    for index in 0..<2000 {
      board.receive(try beat(), on: .heartbeat(device: "d\(index)"), at: seconds(1))
    }
    #expect(board.rows(at: seconds(1)).count == DeviceRoster.maximumDevices)
  }

  @Test func theLatestDegradedAnswersAreKept() {
    var log = AnswerLog(start: seconds(0))
    func result(_ frame: UInt64, lost: Int) -> FrameResult {
      FrameResult(
        frame: frame, label: 3, labelName: "three", top5: [], confidence: 0.5,
        latencyMilliseconds: 4,
        degraded: (0..<lost).map { .init(layer: "l\($0)", device: "d2", reason: .lost) }
          + (lost > 0 ? [.init(layer: "l0", device: "d1", reason: .deadline)] : []),
        filledNeurons: lost)
    }
    for frame in 0..<250 as Range<UInt64> {
      log.receive(result(frame, lost: frame % 2 == 0 ? 0 : 3), of: "cam", at: seconds(1))
    }
    #expect(log.answers == 250 && log.degradedAnswers == 125)
    #expect(log.latest.count == AnswerLog.capacity && log.latest.first?.frame == 249)
    #expect(log.latest.first?.missing.map(\.what) == ["d2 lost", "d1 deadline"])
    #expect(log.latest.first?.missing.map(\.parts) == [3, 1])
  }

  @Test func aPageTakesAllMessagesOfItsDeployment() throws {
    var page = DeploymentPage(root: root, start: seconds(0))
    func receive(_ topic: String, _ payload: [UInt8]) {
      page.receive(topic: topic, payload: payload, isRetained: false, at: seconds(1))
    }
    let result = FrameResult(
      frame: 1, label: 3, top5: [], confidence: 0.5, latencyMilliseconds: 4)
    receive("martlet/1/default/heartbeat/d0", try beat())
    receive("martlet/1/default/result/cam", try result.payload())
    receive("martlet/1/default/result/cam", Array("{}".utf8))
    receive("martlet/1/default/act/a/d0", [UInt8](repeating: 0, count: 1 << 20))
    receive("martlet/1/other/heartbeat/d9", try beat())
    #expect(page.devices.rows(at: seconds(1)).map(\.device.device) == ["d0"])
    #expect(page.answers.answers == 1)
    #expect(page.traffic.total.messages == 5 && page.traffic.topics.count == 4)
  }
}
