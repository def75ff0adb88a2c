import Foundations
import JSONCoding
import Plan
import Tensors
import Testing
import WireProtocol

/// The wire contract beyond its JSON messages: topics, states, tensors, calls and limits.
@Suite struct WireContractTests {
  private let article: Article
  private let root: TopicRoot

  init() throws {
    article = try Article("WireContract")
    root = try TopicRoot(deployment: "default")
  }

  // MARK: Topics

  /// The article's row of a topic. A new topic does not compile until it has one here.
  private func row(_ topic: Topic) -> String {
    switch topic {
    case .presence: "presence/<device>"
    case .heartbeat: "heartbeat/<device>"
    case .description: "desc/<device>"
    case .plan: "plan"
    case .input(_, nil): "input/<client>"
    case .input(_, .some): "input/<client>/<device>"
    case .activation: "act/<layer>/<device>"
    case .call: "rpc/<service>/<method>/<target>"
    case .reply: "reply/<client>/<service>"
    case .metric: "metric/<device>/<kind>"
    case .result: "result/<client>"
    }
  }

  @Test func everyTopicHasARow() throws {
    let all: [Topic] = [
      .presence(device: "device"), .heartbeat(device: "device"), .description(device: "device"),
      .plan, .input(client: "client"), .input(client: "client", device: "device"),
      .activation(layer: "layer", device: "device"),
      .call(service: "service", method: "method", target: "target"),
      .reply(client: "client", service: "service"), .metric(device: "device", kind: "kind"),
      .result(client: "client"),
    ]
    #expect(article.names("topics") == all.map(row))
    for (name, topic) in zip(article.names("topics"), all) {
      let levels = name.filter { $0 != "<" && $0 != ">" }
      #expect(root.parse("martlet/1/default/" + levels) == topic)
      #expect(try root.path(topic) == "martlet/1/default/" + levels)
    }
  }

  // MARK: States

  @Test func peersAreInTheDocumentedStates() throws {
    let rows = article.table("transitions: PeerState")
    try #require(rows.count > 10)
    for row in rows {
      var peer = PeerLiveness()
      var now = MonotonicTime(nanoseconds: 1_000_000_000)
      for event in row[0].codeWords {
        let words = event.split(separator: " ").map(String.init)
        let epoch = words.count > 1 ? UInt64(words[1]) ?? 0 : 0
        switch words[0] {
        case "beat": _ = peer.heartbeat(epoch: epoch, at: now)
        case "part": _ = peer.part(epoch: epoch, at: now)
        case "late": _ = peer.part(epoch: epoch, at: now, inTime: false)
        case "miss": peer.missDeadline()
        case "silence": now = now.adding(milliseconds: 500 * PeerLiveness.beats)
        case "free": peer.missDeadline(wasFree: true)
        case "liar": peer.distrust(at: now)
        case "cut": peer.doubt()
        default:
          let state = try #require(Presence.State(rawValue: words[0]), "\(event)")
          _ = peer.receive(
            Presence(state: state, epoch: epoch, heartbeatMilliseconds: 500, version: "1"))
        }
      }
      #expect(peer.state(at: now).rawValue == row[1].codeWords.first, "\(row[0])")
    }
  }

  @Test func aDeviceJudgesItsOwnPresenceAsDocumented() throws {
    let rows = article.table("transitions: OwnPresence")
    try #require(rows.count > 4)
    for row in rows {
      let epoch: UInt64 = row[0].hasPrefix("a higher") ? 11 : row[0].hasPrefix("a lower") ? 9 : 10
      let seen = row[0].codeWords.first.flatMap(Presence.State.init(rawValue:)) ?? .ready
      let published = row[1].codeWords.first.flatMap(Presence.State.init(rawValue:))
      let judgement = OwnPresence.judge(
        Presence(state: seen, epoch: epoch, heartbeatMilliseconds: 500, version: "1"),
        ownEpoch: 10, published: row[1] == "anything" ? .ready : published)
      let expected: OwnPresence =
        row[2].hasPrefix("stops")
        ? .superseded(epoch: epoch)
        : row[2].hasPrefix("takes over")
          ? .takeOver(epoch: epoch) : row[2].hasPrefix("says") ? .republish : .fine
      #expect(judgement == expected, "\(row)")
    }
  }

  // MARK: Tensors

  /// The names in the metadata of a header.
  private func metadata(_ header: String) throws -> [String] {
    let value = try JSON.decode(JSONValue.self, from: Array(header.utf8), source: "example")
    guard case .object(let members)? = value["__metadata__"] else { return [] }
    return members.map(\.name)
  }

  @Test func tensorHeadersAreThoseThatTheProductReadsAndWrites() throws {
    let examples = article.examples("TensorHeader")
    try #require(examples.count == 3)
    for example in examples where !example.contains("packing") {
      var message = Array(example.utf8)
      while message.count % 8 != 0 { message.append(UInt8(ascii: " ")) }
      let length = UInt64(message.count)
      message = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + message
      let isWhole = example.contains(#""chunks":"1""#)
      message += [UInt8](repeating: isWhole ? 0 : 127, count: isWhole ? 32 : 1024)
      let (header, chunk, type) = try message.withUnsafeBytes {
        bytes throws -> (TensorHeader, Int, ElementType) in
        let decoded = try TensorMessage(decoding: bytes)
        return (decoded.header, decoded.chunk, decoded.elementType)
      }
      // 127 times the scale is the largest magnitude, so that the encoder chooses that scale.
      let values = [Float](repeating: isWhole ? 0 : 127 * 0.03125, count: header.shape.count)
      var encoder = try TensorEncoder(elementType: type, chunkBytes: 1024)
      var written: [[UInt8]] = []
      values.withUnsafeBufferPointer { values in
        encoder.encode(header, values) { message in written.append(message) }
      }
      #expect(
        String(decoding: written[chunk], as: UTF8.self) == String(decoding: message, as: UTF8.self))
    }
  }

  @Test func tensorHeadersHaveARowForEachName() throws {
    let documented = Set(article.names("fields: TensorHeader"))
    let shown = try article.examples("TensorHeader").flatMap(metadata)
    #expect(documented == Set(shown))
    // What the encoder writes that no example shows would be missing above.
    var header = try TensorHeader(plan: "p", layer: "l", device: "d", shape: Shape([2]))
    header.note = "a"
    var encoder = try TensorEncoder(elementType: .int8)
    var written: [UInt8] = []
    [Float](repeating: 1, count: 2).withUnsafeBufferPointer { values in
      encoder.encode(header, values) { message in written = message }
    }
    let frame = try pixels(28, 28).message
    #expect(try Set(metadata(text(written)) + metadata(text(frame))) == documented)
  }

  private func text(_ message: [UInt8]) -> String {
    let length = Int(message[0]) + Int(message[1]) << 8
    return String(decoding: message[8..<8 + length], as: UTF8.self)
  }

  /// The packed frame of the article's example, with the picture of a slope.
  private func pixels(_ height: Int, _ width: Int) throws -> (message: [UInt8], pixels: [UInt8]) {
    var header = try TensorHeader(
      frame: 311, epoch: 1_795_557_773_989, sequence: 311, plan: "966f5b9b0b7b9661",
      client: "client-32fp48p2", device: "client-32fp48p2", shape: Shape([1, height, width, 1]))
    header.note = "aaaa:309"
    let pixels = (0..<height * width).map { UInt8($0 / width + $0 % width) }
    var encoder = try TensorEncoder(elementType: .float32)
    var message: [UInt8] = []
    pixels.withUnsafeBufferPointer {
      encoder.encodePixels(header, $0, isPacking: true) { message = $0 }
    }
    return (message, pixels)
  }

  @Test func packedPixelsHaveTheHeaderThatIsShown() throws {
    let example = try #require(article.examples("TensorHeader").last)
    let (message, pixels) = try pixels(28, 28)
    // All but the number of packed bytes, which is zlib's affair.
    func stem(_ text: String) -> Substring { text.prefix { $0 != "[" } }
    #expect(stem(text(message)) == stem(example))
    let values = try message.withUnsafeBytes { bytes in
      let tensor = try TensorMessage(decoding: bytes)
      var values = [Float](repeating: -1, count: tensor.count)
      #expect(values.withUnsafeMutableBufferPointer { tensor.decodeElements(into: $0) })
      return values
    }
    #expect(values == pixels.map { Float($0) })
  }

  @Test func notesAreReadAndWrittenAsShown() throws {
    let input = try #require(article.examples("InputNote").first)
    #expect(InputNote(text: input, devices: 4)?.text == input)
    #expect(
      InputNote(text: input, devices: 4)?.attendance.roles == [
        .awaited, .awaited, .probed, .absent,
      ])
    let part = try #require(article.examples("FillReport").first)
    #expect(FillReport(text: part, exchanges: 5, devices: 4)?.text == part)
  }

  // MARK: Calls

  private func request(_ payload: [UInt8]) throws -> RPCRequest {
    try RPCRequest(
      decoding: payload, of: RPCMethod("device", "stats"), root: root, maximumBytes: 1 << 20)
  }

  @Test func requestsAreReadAndWrittenAsShown() throws {
    for (kind, body) in [("RPCRequest", ""), ("RPCRequest+bytes", "\nphoto")] {
      let example = try #require(article.examples(kind).first)
      let call = try request(Array((example + body).utf8))
      let written = try call.message(to: "d0", root: root).payload
      let line = written.prefix { $0 != UInt8(ascii: "\n") }
      var value = try JSON.decode(JSONValue.self, from: Array(example.utf8), source: "example")
      // These say only what is so without them.
      if body.isEmpty, case .object(let members) = value {
        value = .object(members.filter { !["reply", "content_type"].contains($0.name) })
      }
      let again = try JSON.decode(JSONValue.self, from: Array(line), source: "written")
      #expect(again.sorted == value.sorted)
      #expect(String(decoding: written.dropFirst(line.count), as: UTF8.self) == body)
    }
  }

  @Test func everyFieldOfARequestIsRead() throws {
    let example = try #require(article.examples("RPCRequest").first)
    guard
      case .object(let members) = try JSON.decode(
        JSONValue.self, from: Array(example.utf8), source: "example")
    else { return }
    #expect(Set(article.names("fields: RPCRequest")) == Set(members.map(\.name)))
    for member in members where member.name != "body" {
      // A list is none of them.
      let broken = members.map { $0 == member ? .init($0.name, .array([])) : $0 }
      #expect(throws: RPCRefusal.self, "\(member.name)") {
        _ = try request(try JSON.encode(JSONValue.object(broken)))
      }
    }
    #expect(try request(Array(example.utf8)).body.value()["count"] == .integer(10))
  }

  @Test func repliesAreReadAndWrittenAsShown() throws {
    let example = try #require(article.examples("RPCReply").first)
    let value = try JSON.decode(JSONValue.self, from: Array(example.utf8), source: "example")
    let reply = try RPCReply(payload: Array(example.utf8), source: "example")
    #expect(reply.value.sorted == value.sorted)
    guard case .object(let members) = reply.value else { return }
    #expect(Set(article.names("fields: RPCReply")) == Set(members.map(\.name)))
  }

  // MARK: Limits

  @Test func limitsAreThoseOfTheProduct() throws {
    let chunks = try TensorEncoder(elementType: .float32, chunkBytes: 1024)
      .chunkCount(of: Shape([1 << 27]))
    let limits: [String: UInt64] = [
      "bytes of an identifier": UInt64(Identifier.maximumLength),
      "bytes of a topic": UInt64(TopicRoot.maximumBytes),
      "slashes in a topic": UInt64(TopicRoot.maximumSlashes),
      "bytes of a presence message": UInt64(Presence.maximumBytes),
      "bytes of a heartbeat": UInt64(Heartbeat.maximumBytes),
      "bytes of a description": UInt64(DeviceDescription.maximumBytes),
      "bytes of a result": UInt64(FrameResult.maximumBytes),
      "bytes of a frame metric": UInt64(FrameMetric.maximumBytes),
      "bytes of a reply": UInt64(RPCReply.maximumBytes),
      "bytes of a tensor's header": UInt64(TensorMessage.maximumHeaderBytes),
      "bytes of a note": UInt64(TensorHeader.maximumNoteBytes),
      "missing parts in a note, each counted for each receiver": UInt64(FillReport.maximumParts),
      "bytes of a plan's id": UInt64(TensorHeader.maximumPlanBytes),
      "chunks of a tensor": UInt64(chunks),
      "bytes of elements in a chunk, unless told otherwise":
        UInt64(TensorEncoder.defaultChunkBytes),
      "devices of a plan": UInt64(Plan.maximumDevices),
      "beats of silence before a device is suspect": PeerLiveness.beats,
      "seconds for which presence is retained": UInt64(Presence.expirySeconds),
      "bytes of a call's id": UInt64(RPCRequest.maximumIDBytes),
      "milliseconds of the longest deadline of a call": RPCRequest.maximumDeadlineMilliseconds,
      "calls that run at once on a worker": UInt64(RPCServerState.Limits().runningCalls),
      "the largest epoch": Epoch.maximum,
    ]
    let rows = article.table("limits")
    #expect(rows.count == limits.count)
    for row in rows { #expect(limits[row[0]].map(String.init) == row[1], "\(row)") }
  }
}
