import Foundations
import JSONCoding
import Testing
import WireProtocol

/// What a caller makes of replies.
@Suite struct RPCClientTests {
  private static let method = RPCMethod("device", "stats")
  private let topic = Topic.reply(client: "me", service: "device")

  private func client(calling id: String? = "1") throws -> RPCClientState {
    var client = try RPCClientState(client: "me", root: RPCBench.root)
    if let id {
      _ = try client.begin(
        Self.method, target: "d0", id: id, deadlineMilliseconds: 1000, at: seconds(1))
    }
    return client
  }

  private func reply(
    _ index: UInt64, _ code: RPCCode? = nil, id: String = "1", from: String = "d0",
    body: JSONValue? = .null
  ) throws -> [UInt8] {
    try RPCReply(
      id: id, from: from, index: index, status: code.map { RPCStatus($0) }, body: body
    ).payload()
  }

  @Test func requestsSayEverythingTwice() throws {
    var client = try client(calling: nil)
    let message = try client.begin(
      Self.method, target: "d0", id: "x", body: .json(.object([.init("count", .integer(1))])),
      metadata: ["b": "2", "a": "1"], deadlineMilliseconds: 1500, at: seconds(1))
    #expect(message.topic == "martlet/1/default/rpc/device/stats/d0")
    #expect(
      String(decoding: message.payload, as: UTF8.self) == """
        {"id":"x","client":"me","deadline_ms":1500,"metadata":{"a":"1","b":"2"},"body":{"count":1}}
        """)
    #expect(
      message.properties
        == RPCProperties(
          expirySeconds: 2, contentType: "application/json",
          responseTopic: "martlet/1/default/reply/me/device", correlation: Array("x".utf8),
          pairs: [.init("deadline_ms", "1500")]))
  }

  @Test func whatIsSentIsWhatIsRead() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      let body: RPCBody =
        switch Int.random(in: 0..<3, using: &random) {
        case 0: .none
        case 1: .json(.array([.string("a\nb"), .number(1.5), .null]))
        default:
          .bytes(
            (0..<Int.random(in: 1..<300, using: &random)).map { _ in
              UInt8.random(in: 0...255, using: &random)
            }, type: "image/png")
        }
      let original = RPCRequest(
        key: RPCCallKey(
          client: "me", method: Self.method, id: "é\"\\ \(UInt32.random(in: 0...9, using: &random))"
        ),
        deadlineMilliseconds: UInt64.random(in: 1...600_000, using: &random),
        metadata: ["k": "v\n"], body: body)
      let message = try original.message(to: "d0", root: RPCBench.root)
      let read = try RPCRequest(
        decoding: message.payload, of: Self.method, root: RPCBench.root,
        properties: message.properties, maximumBytes: 1 << 20)
      #expect(read == original, "seed \(seed)")
    }
  }

  @Test func aUnaryAnswerEndsTheCall() throws {
    var client = try client()
    let events = client.receive(try reply(0, .ok, body: .integer(5)), on: topic)
    #expect(events == [.item(id: "1", body: .integer(5), from: "d0"), .ended(id: "1", .ok)])
    #expect(client.callCount == 0)
    #expect(client.receive(try reply(0, .ok), on: topic).isEmpty)
    #expect(client.ignored == 1)
  }

  @Test func streamsComeInOrderAndOnce() throws {
    var client = try client()
    #expect(client.receive(try reply(0, body: .integer(0)), on: topic).count == 1)
    #expect(client.receive(try reply(0, body: .integer(0)), on: topic).isEmpty, "repeated")
    #expect(client.receive(try reply(1, body: .integer(1)), on: topic).count == 1)
    // Another server with the same name has begun, too.
    #expect(client.receive(try reply(2, .ok, from: "d9"), on: topic).isEmpty)
    #expect(
      client.receive(try reply(2, .ok, body: nil), on: topic) == [.ended(id: "1", .ok)])
  }

  @Test func aGapIsALoss() throws {
    var client = try client()
    _ = client.receive(try reply(0), on: topic)
    let events = client.receive(try reply(2, .ok), on: topic)
    guard case .ended(_, let status) = events.last else {
      Issue.record("\(events)")
      return
    }
    #expect(status.code == .dataLoss)
    // A failure ends the call as what it is, whatever was lost before it.
    client = try self.client()
    #expect(
      client.receive(try reply(7, .unavailable, body: nil), on: topic)
        == [.ended(id: "1", RPCStatus(.unavailable))])
  }

  @Test func foreignRepliesAreIgnored() throws {
    var client = try client()
    let others: [(Topic, [UInt8])] = [
      (.reply(client: "other", service: "device"), try reply(0, .ok)),
      (.reply(client: "me", service: "health"), try reply(0, .ok)),
      (.plan, try reply(0, .ok)),
      (topic, try reply(0, .ok, id: "2")),
      (topic, Array("garbage".utf8)), (topic, []),
      (topic, Array(#"{"id":"1","from":"d0","index":0,"last":true}"#.utf8)),
      (topic, Array(#"{"id":"1","from":"d0","index":-1,"last":false}"#.utf8)),
      (topic, [UInt8](repeating: UInt8(ascii: " "), count: RPCReply.maximumBytes + 1)),
    ]
    for (topic, payload) in others { #expect(client.receive(payload, on: topic).isEmpty) }
    #expect(client.ignored == UInt64(others.count))
    #expect(client.callCount == 1)
  }

  @Test func unknownCodesAreUnknown() throws {
    var client = try client()
    let payload = #"{"id":"1","from":"d0","index":0,"last":true,"code":99,"status":"ODD"}"#
    #expect(
      client.receive(Array(payload.utf8), on: topic)
        == [.ended(id: "1", RPCStatus(.unknown))])
  }

  @Test func deadlinesEndCalls() throws {
    var client = try client()
    #expect(client.nextDeadline == seconds(2))
    #expect(client.expire(at: seconds(1.9)).isEmpty)
    guard case .ended("1", let status)? = client.expire(at: seconds(2)).first else {
      Issue.record("no end")
      return
    }
    #expect(status.code == .deadlineExceeded && status.message.contains("d0"))
    #expect(client.receive(try reply(0, .ok), on: topic).isEmpty)
  }

  @Test func aRepeatedRequestHasWhatIsLeftOfTheDeadline() throws {
    var client = try client()
    let repeated = client.repeated("1", at: seconds(1.4))
    let message = try #require(repeated)
    #expect(String(decoding: message.payload, as: UTF8.self).contains(#""deadline_ms":600"#))
    #expect(client.repeated("1", at: seconds(2)) == nil)
    #expect(client.repeated("2", at: seconds(1)) == nil)
    _ = client.receive(try reply(0), on: topic)
    #expect(client.repeated("1", at: seconds(1.5)) == nil, "an answer has begun")
  }

  @Test func cancellationReachesTheServer() throws {
    var client = try RPCClientState(client: "c", root: RPCBench.root)
    var bench = RPCBench()
    let request = try client.begin(
      Self.method, target: "d0", id: "9", deadlineMilliseconds: 1000, at: bench.now)
    #expect(try bench.send(String(decoding: request.payload, as: UTF8.self)).calls.count == 1)
    let message = client.cancel("9")
    let cancel = try #require(message)
    #expect(cancel.topic == "martlet/1/default/rpc/device/cancel/d0")
    let actions = bench.server.receive(
      cancel.payload, on: .call(service: "device", method: "cancel", target: "d0"),
      properties: cancel.properties, arrived: bench.now, at: bench.now)
    #expect(actions.abandoned.map(\.id) == ["9"])
    #expect(client.cancel("9") == nil)
  }

  @Test func whatTheOtherSideWouldRefuseIsNotSent() throws {
    var client = try client(calling: nil)
    let method = Self.method
    func begin(
      _ id: String = "a", target: String = "d0", body: RPCBody = .none,
      metadata: [String: String] = [:], deadline: UInt64 = 1000
    ) -> MartletError? {
      do throws(MartletError) {
        _ = try client.begin(
          method, target: target, id: id, body: body, metadata: metadata,
          deadlineMilliseconds: deadline, at: seconds(1))
        return nil
      } catch { return error }
    }
    for error in [
      begin(""), begin("a\u{1}"), begin(target: "D0"), begin(deadline: 0),
      begin(deadline: 600_001), begin(body: .bytes([], type: "image/png")),
      begin(body: .bytes([1], type: "application/json")), begin(metadata: ["": "x"]),
      begin(metadata: ["x": String(repeating: "y", count: 1025)]),
    ] {
      #expect(error?.code == .invalidArgument)
    }
    #expect(client.callCount == 0)
    for number in 0..<RPCClientState.maximumCalls { #expect(begin("\(number)") == nil) }
    #expect(begin("more")?.code == .resourceExhausted)
    #expect(begin("5")?.code != nil)
    #expect(throws: MartletError.self) { try RPCClientState(client: "Me", root: RPCBench.root) }
  }

  @Test func codesAreThoseOfGRPC() {
    #expect(RPCCode.allCases.map(\.rawValue) == Array(0...16))
    #expect(RPCCode(rawValue: 4)?.name == "DEADLINE_EXCEEDED")
    #expect(RPCCode(rawValue: 12)?.name == "UNIMPLEMENTED")
    #expect(RPCCode(rawValue: 16)?.name == "UNAUTHENTICATED")
    #expect(Set(RPCCode.allCases.map(\.name)).count == 17)
    for code in MartletError.Code.allCases {
      #expect(RPCStatus(MartletError(code, "x")).code != .ok)
    }
    let long = RPCStatus(.internalError, String(repeating: "é", count: 5000))
    #expect(long.message.utf8.count <= RPCStatus.maximumMessageBytes + 2)
  }
}
