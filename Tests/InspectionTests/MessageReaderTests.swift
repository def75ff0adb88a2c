import Foundations
import Inspection
import JSONCoding
import Tensors
import TestSupport
import Testing
import WireProtocol

@Suite struct MessageReaderTests {
  private func read(_ topic: String, _ payload: [UInt8]) -> MessageReading {
    var reader = MessageReader(root: root)
    return reader.read(payload, on: "martlet/1/default/" + topic)
  }

  private func read(_ topic: String, _ text: String) -> MessageReading {
    read(topic, Array(text.utf8))
  }

  @Test(arguments: [ElementType.float32, .float16, .int8])
  func aTensorIsSummedUp(_ type: ElementType) throws {
    let values: [Float] = [-2, 0, 0, 127, 1, 6]
    let payload = try tensorMessages([2, 3], values, as: type)[0]
    let reading = read("act/conv-1/d2", payload)
    guard case .tensor(let tensor) = reading.content else {
      Issue.record("\(reading)")
      return
    }
    #expect(reading.topic == .activation(layer: "conv-1", device: "d2"))
    #expect(reading.flaw == nil)
    #expect(tensor.header.frame == 7 && tensor.header.shape == [2, 3])
    #expect(tensor.elementType == type && tensor.chunks == 1)
    let statistics = tensor.statistics
    #expect(statistics.count == 6 && statistics.zeros == 2 && statistics.zeroShare == 2.0 / 6)
    #expect(statistics.minimum == -2 && statistics.maximum == 127 && statistics.mean == 22)
  }

  @Test func statisticsLeaveOutWhatIsNotFinite() {
    func statistics(_ values: [Float]) -> TensorStatistics {
      values.withUnsafeBufferPointer { TensorStatistics($0) }
    }
    let mixed = statistics([.nan, 3, -.infinity, 0, .infinity, -1])
    #expect(mixed.count == 6 && mixed.notFinite == 3 && mixed.zeros == 1)
    #expect(mixed.minimum == -1 && mixed.maximum == 3)
    #expect(mixed.mean == 2.0 / 3)
    let nothing = statistics([.nan])
    #expect(nothing.minimum == nil && nothing.mean == nil && nothing.notFinite == 1)
    #expect(statistics([]).zeroShare == nil)
    let large = statistics([.greatestFiniteMagnitude, .greatestFiniteMagnitude])
    #expect(large.mean == Double(Float.greatestFiniteMagnitude))
  }

  struct Case: Sendable {
    var topic: String
    var payload: [UInt8]
    var content: MessageReading.Content
    /// A word of the flaw; nil for none.
    var flaw: String?

    init(
      _ topic: String, _ payload: [UInt8], _ content: MessageReading.Content, flaw: String? = nil
    ) {
      self.topic = topic
      self.payload = payload
      self.content = content
      self.flaw = flaw
    }

    init(_ topic: String, _ text: String, _ content: MessageReading.Content, flaw: String? = nil) {
      self.init(topic, Array(text.utf8), content, flaw: flaw)
    }
  }

  private static let presence = JSONValue.object([
    .init("state", .string("ready")), .init("epoch", .integer(5)),
    .init("heartbeat_ms", .integer(500)), .init("version", .string("1")),
  ])

  @Test(arguments: [
    Case("presence/d0", [], .empty),
    Case(
      "presence/d0", #"{"state":"ready","epoch":5,"heartbeat_ms":500,"version":"1"}"#,
      .json(presence)),
    Case("presence/d0", "{}", .json(.object([])), flaw: "state"),
    Case(
      "heartbeat/d0", #"{"epoch":-1}"#, .json(.object([.init("epoch", .integer(-1))])),
      flaw: "epoch"),
    Case("metric/d0/energy", "[1,2]", .json(.array([.integer(1), .integer(2)])), flaw: "JSON"),
    Case("metric/d0/other", "[1]", .json(.array([.integer(1)]))),
    Case("result/cam", "no json", .text("no json"), flaw: "JSON"),
    Case("act/conv-1/d2", "no tensor at all", .text("no tensor at all"), flaw: "header"),
    Case("input/cam", [0, 1, 2], .bytes([0, 1, 2]), flaw: "short"),
    Case("other/thing", "23.5", .json(.number(23.5))),
    Case("other/thing", #"{"a":[1e999]}"#, .text(#"{"a":[1e999]}"#)),
    Case("other/thing", "Grüße", .text("Grüße")),
    Case("other/thing", [0xff, 0xfe], .bytes([0xff, 0xfe])),
    Case("other/thing", "\u{1B}[2J", .bytes([0x1B, 0x5B, 0x32, 0x4A])),
  ])
  func contentIsRecognised(_ example: Case) {
    let reading = read(example.topic, example.payload)
    #expect(reading.content == example.content)
    guard let word = example.flaw else {
      #expect(reading.flaw == nil)
      return
    }
    #expect(reading.flaw?.contains(word) == true, "\(reading.flaw ?? "no flaw")")
  }

  @Test func aTensorIsRecognisedOnAnyTopic() throws {
    let payload = try tensorMessages([1], [1])[0]
    guard case .tensor = read("rpc/a/b/c", payload).content else {
      Issue.record("not recognised")
      return
    }
    let disagreeing = read("act/conv-2/d2", payload)
    #expect(disagreeing.flaw?.contains("conv-1") == true)
    #expect(read("input/other", payload).flaw?.contains("cam") == true)
  }

  @Test func requestsAndRepliesAreRead() throws {
    let head = #"{"id":"1","client":"cam","deadline_ms":100,"content_type":"image/jpeg"}"#
    let photo = read("rpc/image/classify/gw", Array((head + "\n").utf8) + [0xff, 0xd8, 0])
    guard case .json(let envelope) = photo.content else {
      Issue.record("\(photo)")
      return
    }
    #expect(envelope["client"] == .string("cam") && photo.attachedBytes == 3 && photo.flaw == nil)
    let plain = read("rpc/a/b/c", "{\n\"id\":\"1\",\"client\":\"cam\",\"deadline_ms\":5}")
    #expect(plain.attachedBytes == 0 && plain.flaw == nil)
    #expect(read("rpc/a/b/c", "{}").flaw == "nobody knows who asked")
    let reply = RPCReply(id: "1", from: "d0", status: RPCStatus(.ok, ""), body: .null)
    #expect(read("reply/cam/a", try reply.payload()).flaw == nil)
    #expect(read("reply/cam/a", #"{"id":"1"}"#).flaw != nil)
  }

  @Test func longTextIsCutBetweenCharacters() {
    let text = String(repeating: "é", count: 5000)
    let reading = read("other", "x" + text)
    guard case .text(let start) = reading.content else {
      Issue.record("\(reading.content)")
      return
    }
    #expect(start.utf8.count == MessageReader.maximumShownBytes - 1)
    #expect(("x" + text).hasPrefix(start))
  }

  @Test func deepAndLongDocumentsAreNotParsed() {
    let deep = String(repeating: "[", count: 200_000)
    guard case .text = read("other", deep).content else {
      Issue.record("parsed")
      return
    }
    let long = "\"" + String(repeating: "a", count: MessageReader.maximumJSONBytes) + "\""
    guard case .text = read("other", long).content else {
      Issue.record("parsed")
      return
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func damagedMessagesAreRead(_ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    var reader = MessageReader(root: root)
    let good =
      [try tensorMessages([4, 5], [Float](repeating: 1, count: 20))[0]]
      + (try tensorMessages([600], [Float](repeating: 1, count: 600), chunkBytes: 1024))
      + [Array(#"{"state":"ready","epoch":5,"heartbeat_ms":500,"version":"1"}"#.utf8)]
    let topics = [
      "act/conv-1/d2", "input/cam", "presence/d0", "result/cam", "metric/d0/frame", "plan", "else",
    ]
    for round in 0..<3000 {
      var payload = good[round % good.count]
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where !payload.isEmpty:
          payload[Int.random(in: 0..<payload.count, using: &random)] = UInt8.random(
            in: 0...255, using: &random)
        case 1: payload = Array(payload.prefix(Int.random(in: 0...payload.count, using: &random)))
        default:
          payload.insert(
            UInt8.random(in: 0...255, using: &random),
            at: Int.random(in: 0...payload.count, using: &random))
        }
      }
      let topic = topics.randomElement(using: &random) ?? ""
      let reading = reader.read(payload, on: "martlet/1/default/" + topic)
      #expect((reading.content == .empty) == payload.isEmpty, "seed \(seed), round \(round)")
    }
  }
}
