import Foundations
import Inspection
import MartletCommand
import Testing
import WireProtocol

/// The page of `martlet top` as lines, without a terminal.
@Suite struct PageTextTests {
  private func seconds(_ value: Double) -> MonotonicTime {
    MonotonicTime(nanoseconds: UInt64(value * 1e9))
  }

  private func page() throws -> DeploymentPage {
    let root = try TopicRoot(deployment: "default")
    var page = DeploymentPage(root: root, start: seconds(0))
    var messages: [(topic: String, payload: [UInt8], time: Double)] = []
    func receive(_ topic: String, _ payload: [UInt8], _ time: Double) {
      messages.append(("martlet/1/default/" + topic, payload, time))
    }
    for (index, state) in [Presence.State.ready, .ready, .lost].enumerated() {
      let presence = Presence(state: state, epoch: 5, heartbeatMilliseconds: 500, version: "1")
      receive("presence/d\(index)", try presence.payload(), 0.5)
      let beat = Heartbeat(
        epoch: 5, sequence: 1, frame: 9, queue: 0, residentBytes: 32_000_000)
      receive("heartbeat/d\(index)", try beat.payload(), index == 1 ? 1 : 9.5)
    }
    let energy = EnergyMetric(
      epoch: 5, sequence: 1, intervalMilliseconds: 1000, source: "estimate", joules: 1, watts: 3.25,
      frames: 0)
    receive("metric/d0/energy", try energy.payload(), 9.5)
    for step in 0..<100 {
      receive("act/conv-1/d0", [UInt8](repeating: 0, count: 10_000), Double(step) / 10)
    }
    let result = FrameResult(
      frame: 77, label: 3, labelName: "cat", top5: [], confidence: 0.83, latencyMilliseconds: 12.5,
      degraded: [
        .init(layer: "a", device: "d2", reason: .lost),
        .init(layer: "b", device: "d2", reason: .lost),
      ], filledNeurons: 20)
    receive("result/cam", try result.payload(), 9)
    for message in messages.sorted(by: { $0.time < $1.time }) {
      page.receive(
        topic: message.topic, payload: message.payload, isRetained: false,
        at: seconds(message.time))
    }
    return page
  }

  private func lines(
    _ page: DeploymentPage, _ width: Int, _ height: Int
  ) -> [StyledText] {
    DeploymentPageText.lines(
      page, title: "martlet top", clock: "12:34:56", width: width, height: height, at: seconds(10))
  }

  @Test func thePageOfADeployment() throws {
    let text = lines(try page(), 80, 24).map(\.plain)
    #expect(text[0].hasPrefix(" martlet top  ") && text[0].hasSuffix("  12:34:56  q quits "))
    #expect(text[0].contains("11 messages/s") && text[0].count == 80)
    let body = text.dropFirst().joined(separator: "\n")
    #expect(
      body.hasPrefix(
        """

        device  state     beat  frames/s   memory  watts  fills
        d0      alive    0.5 s         -  32.0 MB  ~3.25      -
        d1      suspect  9.0 s         -  32.0 MB      -      -
        d2      lost     0.5 s         -  32.0 MB      -      -

        topic             messages/s   bytes/s  last size  last seen
        act/conv-1/d0           10.0  100.0 kB    10.0 kB      0.1 s
        """), "\(body)")
    #expect(
      body.hasSuffix(
        """

        degraded 1 of 1  client  frame  answer      ms  missing parts
              1.0 s ago  cam        77  cat 83 %  12.5  d2 lost ×2
        """), "\(body)")
  }

  @Test func allAnswersAreShownAndWhoIsSkippedIsSuspect() throws {
    let root = try TopicRoot(deployment: "default")
    var page = DeploymentPage(root: root, start: seconds(0))
    func receive(_ topic: String, _ message: some WireMessage, _ time: Double) throws {
      page.receive(
        topic: "martlet/1/default/" + topic, payload: try message.payload(), isRetained: false,
        at: seconds(time))
    }
    for device in ["d0", "d1", "gate"] {
      var description = DeviceDescription(
        version: "1", methods: device == "gate" ? ["inference/infer"] : ["device/stats"],
        plan: "p", parts: [],
        hardware: .init(architecture: "aarch64", cores: 4, memoryBytes: 1 << 30, system: "Linux"))
      description.model = "m"
      try receive("desc/\(device)", description, 0)
      try receive(
        "presence/\(device)",
        Presence(state: .ready, epoch: 5, heartbeatMilliseconds: 500, version: "1"), 0.5)
      try receive(
        "heartbeat/\(device)",
        Heartbeat(epoch: 5, sequence: 1, frame: 9, queue: 0, residentBytes: 1000), 9.9)
    }
    var result = FrameResult(
      frame: 7, label: 3, labelName: "cat", top5: [], confidence: 1, latencyMilliseconds: 2)
    result.plan = "p"
    result.alive = ["d0", "d1"]
    try receive("result/cam", result, 9.7)
    #expect(page.rows(at: seconds(10)).map(\.device.state) == [.alive, .alive, .alive])
    let whole = lines(page, 80, 24).map(\.plain).joined(separator: "\n")
    #expect(whole.contains("degraded 0 of 1") && whole.contains("cat 100 %  2.0              -"))

    // With a code nothing is missing from an answer that goes on without a device.
    result.frame = 8
    result.alive = ["d0"]
    try receive("result/cam", result, 9.8)
    #expect(page.rows(at: seconds(10)).map(\.device.state) == [.alive, .suspect, .alive])
    #expect(lines(page, 80, 24).contains { $0.plain.hasPrefix("d1      suspect") })
    // Another client's plan says nothing, and neither does one that has been silent for long.
    result.plan = "other"
    try receive("result/cam", result, 9.9)
    #expect(page.rows(at: seconds(10))[1].device.state == .alive)
    result.plan = "p"
    result.degraded = [.init(layer: "a", device: "d1", reason: .suspect)]
    try receive("result/cam", result, 9.9)
    #expect(page.rows(at: seconds(10))[1].device.state == .suspect)
    try receive(
      "heartbeat/d1", Heartbeat(epoch: 5, sequence: 2, frame: 9, queue: 0, residentBytes: 1), 15)
    #expect(page.rows(at: seconds(15))[1].device.state == .alive)
  }

  @Test func whatCannotBeMeasuredIsCountedAndNotShown() throws {
    let root = try TopicRoot(deployment: "default")
    var page = DeploymentPage(root: root, start: seconds(0))
    for (topic, payload) in [
      (
        "metric/d0/frame",
        #"{"epoch":1,"seq":1,"interval_ms":1e-310,"frames":5,"frames_degraded":0,"#
          + #""frames_dropped":0,"compute_ms":1,"wait_ms":1,"send_ms":1,"receive_ms":1,"#
          + #""sent_bytes":0,"received_bytes":0,"fills":{},"drops":{},"stages":[]}"#
      ),
      ("heartbeat/d0", #"{"epoch":1,"seq":-1,"frame":1,"queue":0,"rss_bytes":0}"#),
      ("presence/d0", #"{"state":"ready","epoch":1,"heartbeat_ms":1e300,"version":"1"}"#),
      (
        "result/c",
        #"{"epoch":1,"seq":1,"frame":1,"label":1,"top5":[],"confidence":0.5,"#
          + #""latency_ms":1e308,"degraded":[],"filled_neurons":0,"present":[]}"#
      ),
    ] {
      page.receive(
        topic: "martlet/1/default/" + topic, payload: Array(payload.utf8), isRetained: false,
        at: seconds(1))
    }
    #expect(page.unreadable == 4 && page.answers.answers == 0)
    let text = lines(page, 200, 24).map(\.plain)
    #expect(text[0].contains("4 unreadable"))
    #expect(!text.contains { $0.contains("inf") || $0.contains("nan") })
  }

  @Test(arguments: [0, 1, 2, 3, 5, 8, 13, 24, 60], [0, 1, 7, 20, 40, 80, 250])
  func everySizeIsKept(_ height: Int, _ width: Int) throws {
    var page = try page()
    for connected in [true, false] {
      page.isConnected = connected
      let lines = lines(page, width, height)
      #expect(lines.count <= height)
      #expect(lines.allSatisfy { $0.width <= width })
      #expect(lines.isEmpty == (height == 0))
    }
  }

  @Test func linesGoWhereTheyAreNeeded() {
    #expect(DeploymentPageText.shares(of: 10, wanted: [3, 30, 2]) == [3, 5, 2])
    #expect(DeploymentPageText.shares(of: 9, wanted: [30, 30, 30]) == [3, 3, 3])
    #expect(DeploymentPageText.shares(of: 100, wanted: [3, 4, 5]) == [3, 4, 5])
    #expect(DeploymentPageText.shares(of: -4, wanted: [3, 4]) == [0, 0])
  }

  @Test func anEmptyPageSaysSo() throws {
    let empty = DeploymentPage(root: try TopicRoot(deployment: "default"), start: seconds(0))
    let text = lines(empty, 80, 24).map(\.plain).joined(separator: "\n")
    #expect(text.contains("no device has said anything yet"))
    #expect(text.contains("no answers yet"))
    var lost = empty
    lost.isConnected = false
    #expect(lines(lost, 80, 24)[0].plain.contains("the broker is not reached"))
  }
}
