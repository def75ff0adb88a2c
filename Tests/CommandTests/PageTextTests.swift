import Inspection
import MartletCommand
import TensorCore
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
        d1      suspect  9.0 s         -  32.0 MB  -          -
        d2      lost     0.5 s         -  32.0 MB  -          -

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
    #expect(text.contains("0 answers, none of them degraded"))
    var lost = empty
    lost.isConnected = false
    #expect(lines(lost, 80, 24)[0].plain.contains("the broker is not reached"))
  }
}
