import Foundations
import Inspection
import JSONCoding
import MartletCommand
import Recording
import Tensors
import Testing
import WireProtocol

/// What is printed, without a broker.
@Suite struct InspectTextTests {
  private let root: TopicRoot

  init() throws { root = try TopicRoot(deployment: "default") }

  private func message(
    _ topic: String, _ payload: [UInt8], retained: Bool = false, expiry: UInt32? = nil
  ) -> RecordedMessage {
    var message = RecordedMessage(time: 0, topic: topic, payload: payload, isRetained: retained)
    message.expirySeconds = expiry
    return message
  }

  private func line(_ message: RecordedMessage) -> StyledText {
    var reader = MessageReader(root: root)
    let reading = reader.read(message.payload, on: message.topic)
    return MessageLine.text(message, reading, root: root, clock: "12:00")
  }

  @Test func aTensorTakesOneLine() throws {
    let header = try TensorHeader(
      frame: 12, stage: 2, epoch: 77, plan: "p-1", client: "cam", layer: "conv-1", device: "d0",
      shape: [1, 2, 2])
    var encoder = try TensorEncoder(elementType: .float16)
    var payload: [UInt8] = []
    [0, -1.5, 2, 0].withUnsafeBufferPointer { encoder.encode(header, $0) { payload = $0 } }
    let text = line(message("martlet/1/default/act/conv-1/d0", payload)).plain
    #expect(
      text == "12:00  act/conv-1/d0  live  \(payload.count) B  frame 12 stage 2  1x2x2 F16  "
        + "min -1.5000 mean 0.1250 max 2.0000, 50.0 % zero  epoch 77 plan p-1 client cam")
  }

  @Test(arguments: [
    (#"{ "a" : [1, 2.5, null], "b" : "x\"y" }"#, #"{"a":[1,2.5,null],"b":"x\"y"}"#),
    ("[]", "[]"), ("plain", "text plain"), ("\u{1}\u{2}", "bytes 0102"), ("", "empty"),
  ])
  func payloadsTakeOneLine(_ payload: String, _ want: String) {
    let text = line(message("elsewhere", Array(payload.utf8))).plain
    #expect(text == "12:00  elsewhere  live  \(payload.utf8.count) B  \(want)")
  }

  @Test func theAgeOfWhatWasKeptIsSaidWhereItIsKnown() throws {
    let payload = Array(#"{"state":"ready","epoch":5,"heartbeat_ms":500,"version":"1"}"#.utf8)
    let topic = "martlet/1/default/presence/d0"
    func text(_ retained: Bool, _ expiry: UInt32?) -> String {
      line(message(topic, payload, retained: retained, expiry: expiry)).plain
    }
    #expect(text(true, 170).contains("  10 s old  "))
    #expect(text(true, nil).contains("  retained  "))
    #expect(text(true, 4000).contains("  retained  "))
    #expect(text(false, 170).contains("  live  "))
  }

  @Test func nothingForeignSteersTheTerminal() {
    let hostile = [
      "\u{1B}[2J\u{1B}]0;title\u{7}", "\u{9B}31m", "\u{202E}abc", "a\rb\nc", "\u{2028}", "\u{0}",
    ]
    for text in hostile {
      for payload in [Array(text.utf8), Array("{\"k\":\"\(text)\"}".utf8)] {
        let line = line(message("t/" + text, payload))
        let foreign = line.plain.unicodeScalars.filter {
          [.control, .format, .lineSeparator].contains($0.properties.generalCategory)
        }
        #expect(foreign.isEmpty, "\(line.plain)")
        // The only escape sequences are our own colours.
        let colours = line.coloured.split(separator: "\u{1B}").dropFirst()
        #expect(colours.allSatisfy { $0.hasPrefix("[") && $0.contains("m") })
      }
    }
    #expect(line(message("t/\u{1B}[2J", [])).plain.contains("t/\\u{1b}[2J"))
  }

  @Test func longPayloadsAreCut() {
    let array = "[" + (0..<20_000).map(String.init).joined(separator: ",") + "]"
    for payload in [array, "\"" + String(repeating: "\\u001b", count: 9000) + "\"", "x" + array] {
      let line = line(message("t", Array(payload.utf8)))
      #expect(line.width < 7 * MessageLine.maximumColumns && line.plain.hasSuffix(" …"))
    }
    let bytes = line(message("t", [UInt8](repeating: 0, count: 100_000))).plain
    #expect(bytes.utf8.count < 200 && bytes.hasSuffix(" …"))
  }

  @Test func widthCountsColumns() {
    #expect(StyledText("abc").width == 3)
    #expect(StyledText("日本").width == 4)
    #expect(StyledText("e\u{301}").width == 1)
    #expect(StyledText("日本").prefix(3).plain == "日")
    var line = StyledText("ab", .bad)
    line.append("cd")
    #expect(line.prefix(3).coloured == "\u{1B}[31mab\u{1B}[0mc")
    line.pad(to: 6)
    #expect(line.plain == "abcd  ")
  }

  @Test func trafficIsSortedByBytes() {
    var table = TrafficTable(start: .zero)
    let second = MonotonicTime(nanoseconds: 1_000_000_000)
    table.record(topic: "martlet/1/default/plan", bytes: 5, isRetained: true, at: second)
    for _ in 0..<4 {
      table.record(topic: "martlet/1/default/act/a/d0", bytes: 600, isRetained: false, at: second)
    }
    table.record(topic: "x", bytes: 200, isRetained: false, at: second)
    let report = TrafficReport(table, root: root, at: second.adding(milliseconds: 1000))
    #expect(report.topics.map(\.topic) == ["act/a/d0", "x", "plan"])
    #expect(
      report.text(rows: 2) == """
        topic     messages  messages/s   bytes  bytes/s  last seen  retained
        act/a/d0         4         2.0  2.4 kB   1.2 kB      1.0 s  no
        x                1         0.5   200 B    100 B      1.0 s  no
        total            5         2.5  2.6 kB   1.3 kB      1.0 s  yes
        and 1 more topics
        """)
  }
}
