import Foundations
import JSONCoding
import Testing
import WireProtocol

/// What a server does with requests, good, bad, repeated, late and too many.
@Suite struct RPCServerTests {
  @Test func aCallIsExecutedAndAnswered() throws {
    var bench = RPCBench()
    let call = try #require(
      try bench.send(request(more: #","metadata":{"a":"b"},"body":{"count":2}"#)).calls.first)
    #expect(call.key == RPCCallKey(client: "c", method: RPCMethod("device", "stats"), id: "1"))
    #expect(call.request.metadata == ["a": "b"])
    #expect(try call.request.body.value()["count"] == .integer(2))
    #expect(call.deadline == seconds(101))
    let actions = bench.server.finish(call.key, .ok, body: .string("x"), at: seconds(100.5))
    let message = try #require(actions.messages.first)
    #expect(message.topic == "martlet/1/default/reply/c/device")
    #expect(message.properties.correlation == Array("1".utf8))
    #expect(message.properties.expirySeconds == 1)
    #expect(message.properties.pairs == [.init("grpc-status", "0")])
    #expect(
      String(decoding: message.payload, as: UTF8.self)
        == #"{"id":"1","from":"d0","index":0,"last":true,"code":0,"status":"OK","body":"x"}"#)
    #expect(bench.server.runningCalls == 0)
  }

  @Test func aStreamIsNumberedAndEnds() throws {
    var bench = RPCBench()
    let key = try #require(try bench.send(request()).calls.first?.key)
    var replies: [RPCReply] = []
    for item in 0..<3 {
      replies += try bench.server.send(.integer(Int64(item)), of: key, at: bench.now).replies
    }
    replies += try bench.server.finish(key, .ok, at: bench.now).replies
    #expect(replies.map(\.index) == [0, 1, 2, 3])
    #expect(replies.map(\.isLast) == [false, false, false, true])
    #expect(bench.server.send(.null, of: key, at: bench.now).isEmpty, "it has ended")
  }

  /// What is wrong, what its sender is told, and how it is counted.
  static let bad: [(String, String, RPCCode?, RejectReason?)] = [
    ("device/stats", request(deadline: "0"), .invalidArgument, .garbage),
    ("device/stats", request(deadline: "-1"), .invalidArgument, .garbage),
    ("device/stats", request(deadline: "1.5"), .invalidArgument, .garbage),
    ("device/stats", request(deadline: "\"1000\""), .invalidArgument, .garbage),
    ("device/stats", request(deadline: "600001"), .invalidArgument, .garbage),
    ("device/stats", #"{"id":"1","client":"c"}"#, .invalidArgument, .garbage),
    ("device/stats", request(more: #","metadata":["a"]"#), .invalidArgument, .garbage),
    ("device/stats", request(more: #","metadata":{"a":1}"#), .invalidArgument, .garbage),
    (
      "device/stats", request(more: #","metadata":{"\#(String(repeating: "n", count: 65))":""}"#),
      .invalidArgument, .garbage
    ),
    (
      "device/stats", request(more: #","reply":"martlet/1/default/reply/other/device""#),
      .invalidArgument, .garbage
    ),
    (
      "device/stats", request(more: #","reply":"martlet/1/default/presence/c""#),
      .invalidArgument, .garbage
    ),
    ("device/stats", request(more: #","reply":7"#), .invalidArgument, .garbage),
    ("device/stats", request(more: #","content_type":"image/png""#), .invalidArgument, .garbage),
    (
      "device/stats", request(more: #","body":1,"content_type":"image/png""#) + "\nxx",
      .invalidArgument, .garbage
    ),
    ("device/none", request(), .unimplemented, nil),
    ("none/stats", request(), .unimplemented, nil),
    // Nobody can be told about these.
    ("device/stats", "", nil, .garbage), ("device/stats", "null", nil, .garbage),
    ("device/stats", "[]", nil, .garbage), ("device/stats", "{", nil, .garbage),
    ("device/stats", request(id: ""), nil, .garbage),
    ("device/stats", request(id: String(repeating: "i", count: 129)), nil, .garbage),
    ("device/stats", request(id: "a\\u0000b"), nil, .garbage),
    ("device/stats", request(client: "Not An Id"), nil, .garbage),
    ("device/stats", request(client: "a/b"), nil, .garbage),
    ("device/stats", request(client: "+"), nil, .garbage),
    ("device/stats", #"{"id":1,"client":"c","deadline_ms":1}"#, nil, .garbage),
    ("device/stats", request() + String(repeating: " ", count: 70_000), nil, .tooLarge),
    ("device/stats", String(repeating: "[", count: 5000), nil, .garbage),
  ]

  @Test(arguments: bad.indices)
  func badRequestsAreToldOrCounted(index: Int) throws {
    let (method, payload, code, reason) = RPCServerTests.bad[index]
    var bench = RPCBench()
    let actions = try bench.send(payload, to: method)
    #expect(actions.calls.isEmpty)
    #expect(actions.counted == (reason.map { [$0] } ?? []))
    let replies = try actions.replies
    #expect(replies.map { $0.status?.code } == (code.map { [$0] } ?? []))
    // Whatever they ask for, replies go to the asker's own topic.
    #expect(actions.messages.allSatisfy { $0.topic.hasPrefix("martlet/1/default/reply/c/") })
  }

  @Test func propertiesMustAgree() throws {
    var bench = RPCBench()
    let own = "martlet/1/default/reply/c/device"
    for (id, properties) in [
      ("a", RPCProperties(responseTopic: "martlet/1/default/reply/victim/device")),
      ("b", RPCProperties(responseTopic: "martlet/1/default/reply/c/health")),
      ("c", RPCProperties(responseTopic: own, correlation: Array("other".utf8))),
    ] {
      let actions = try bench.send(request(id: id), properties: properties)
      #expect(try actions.replies.map { $0.status?.code } == [.invalidArgument])
      #expect(actions.messages.map(\.topic) == [own])
    }
    let good = RPCProperties(expirySeconds: 3, responseTopic: own, correlation: Array("d".utf8))
    let call = try bench.send(request(id: "d", deadline: "5000"), properties: good).calls.first
    // The broker has counted two seconds down already.
    #expect(call?.deadline == seconds(103))
  }

  @Test func expiredRequestsAreNotExecuted() throws {
    var bench = RPCBench()
    let late = try bench.send(request(deadline: "1000"), waited: 1)
    #expect(late.calls.isEmpty)
    #expect(try late.replies.map { $0.status?.code } == [.deadlineExceeded])
    let gone = try bench.send(
      request(id: "2"), properties: RPCProperties(expirySeconds: 0))
    #expect(gone.calls.isEmpty)
    #expect(try gone.replies.map { $0.status?.code } == [.deadlineExceeded])
    let inTime = try bench.send(request(id: "3", deadline: "1000"), waited: 0.9)
    #expect(inTime.calls.first?.deadline == seconds(100.1))
  }

  @Test func runningCallsExpire() throws {
    var bench = RPCBench()
    let key = try #require(try bench.send(request(deadline: "500")).calls.first?.key)
    #expect(bench.server.nextDeadline == seconds(100.5))
    #expect(bench.server.expire(at: seconds(100.4)).isEmpty)
    let actions = bench.server.expire(at: seconds(100.5))
    #expect(try actions.replies.map { $0.status?.code } == [.deadlineExceeded])
    #expect(actions.abandoned == [key])
    #expect(bench.server.nextDeadline == .distantFuture)
    #expect(bench.server.finish(key, .ok, body: .null, at: seconds(100.6)).isEmpty, "too late")
  }

  @Test func duplicatesAreExecutedOnceAndAnsweredAgain() throws {
    var bench = RPCBench()
    let key = try #require(try bench.send(request()).calls.first?.key)
    // While it runs there is nothing to say.
    let early = try bench.send(request())
    #expect(early == [.count(.duplicate)])
    let answer =
      bench.server.send(.integer(1), of: key, at: bench.now).messages
      + bench.server.finish(key, .ok, body: .integer(2), at: bench.now).messages
    for _ in 0..<3 {
      let again = try bench.send(request())
      #expect(again.calls.isEmpty)
      #expect(again.messages == answer)
      #expect(again.counted == [.duplicate])
    }
    // The same id of another client, or for another method, is another call.
    #expect(try bench.send(request(client: "other")).calls.count == 1)
    #expect(try bench.send(request(), to: "health/check").calls.count == 1)
  }

  @Test func anAnswerTooLongToKeepIsNotSentTwice() throws {
    var bench = RPCBench { $0.answerBytes = 4000 }
    let key = try #require(try bench.send(request()).calls.first?.key)
    let long = JSONValue.string(String(repeating: "x", count: 2000))
    #expect(bench.server.finish(key, .ok, body: long, at: bench.now).messages.count == 1)
    let again = try bench.send(request())
    #expect(again.calls.isEmpty)
    #expect(try again.replies.map { $0.status?.code } == [.aborted])
  }

  @Test func anAnswerTooLongToSendEndsTheCall() throws {
    var bench = RPCBench()
    let key = try #require(try bench.send(request()).calls.first?.key)
    let long = JSONValue.string(String(repeating: "x", count: RPCReply.maximumBytes))
    let replies = try bench.server.finish(key, .ok, body: long, at: bench.now).replies
    #expect(replies.map { $0.status?.code } == [.internalError])
    #expect(bench.server.runningCalls == 0)
  }

  @Test func oldAnswersMakeRoomForNewOnes() throws {
    var bench = RPCBench { $0.answerBytes = 8000 }
    for number in 0..<20 {
      let key = try #require(try bench.send(request(id: "\(number)")).calls.first?.key)
      _ = bench.server.finish(
        key, .ok, body: .string(String(repeating: "x", count: 1000)), at: bench.now)
    }
    #expect(try bench.send(request(id: "0")).replies.map { $0.status?.code } == [.aborted])
    #expect(try bench.send(request(id: "19")).replies.map { $0.status?.code } == [.ok])
    #expect(try bench.send(request(id: "0")).calls.isEmpty)
  }

  @Test func tooManyAtOnceAreTold() throws {
    var bench = RPCBench { $0.runningCalls = 3 }
    for number in 0..<3 { #expect(try bench.send(request(id: "\(number)")).calls.count == 1) }
    let more = try bench.send(request(id: "more"))
    #expect(try more.replies.map { $0.status?.code } == [.resourceExhausted])
    #expect(more.counted == [.noRoom])
    // The refused one was not executed, so the same request may come again and is.
    _ = bench.server.expire(at: seconds(101))
    bench.now = seconds(101)
    #expect(try bench.send(request(id: "more")).calls.count == 1)
  }

  @Test func tooManyInASecondAreTold() throws {
    var bench = RPCBench {
      $0.burst = 4
      $0.callsPerSecond = 10
    }
    var codes: [RPCCode?] = []
    for number in 0..<6 {
      let actions = try bench.send(request(id: "\(number)"))
      for call in actions.calls {
        _ = bench.server.finish(call.key, .ok, at: bench.now)
        codes.append(.ok)
      }
      codes += try actions.replies.map { $0.status?.code }
    }
    #expect(codes == [.ok, .ok, .ok, .ok, .resourceExhausted, .resourceExhausted])
    bench.now = seconds(100.1)
    #expect(try bench.send(request(id: "later")).calls.count == 1)
  }

  @Test func refusalsAreBounded() throws {
    var bench = RPCBench {
      $0.burst = 1
      $0.callsPerSecond = 1
    }
    var told = 0
    for number in 0..<100 {
      told += try bench.send(request(id: "\(number)"), to: "none/none").messages.count
    }
    #expect(told == 16)
  }

  /// A hostile client that fills the memory is refused; nobody's call is forgotten and run twice.
  @Test func memoryIsBoundedAndFreedByTime() throws {
    var bench = RPCBench {
      $0.rememberedCalls = 8
      $0.runningCalls = 100
    }
    for number in 0..<8 {
      let key = try #require(try bench.send(request(id: "\(number)")).calls.first?.key)
      _ = bench.server.finish(key, .ok, at: bench.now)
    }
    #expect(try bench.send(request(id: "8")).replies.first?.status?.code == .resourceExhausted)
    #expect(try bench.send(request(id: "0")).replies.first?.status?.code == .ok)
    bench.now = seconds(101)
    #expect(try bench.send(request(id: "8")).calls.count == 1)
  }

  @Test func callersCancelTheirOwnCalls() throws {
    var bench = RPCBench()
    let key = try #require(try bench.send(request()).calls.first?.key)
    func cancel(_ client: String, _ id: String, _ service: String = "device") throws
      -> [RPCServerState.Action]
    {
      try bench.send(#"{"id":"\#(id)","client":"\#(client)"}"#, to: "\(service)/cancel")
    }
    #expect(try cancel("other", "1").isEmpty)
    #expect(try cancel("c", "2").isEmpty)
    #expect(try cancel("c", "1", "health").isEmpty)
    let actions = try cancel("c", "1")
    #expect(try actions.replies.map { $0.status?.code } == [.cancelled])
    #expect(actions.abandoned == [key])
    #expect(try cancel("c", "1").isEmpty)
    // What was begun is not begun again.
    #expect(try bench.send(request()).calls.isEmpty)
  }

  @Test func otherTopicsAreCounted() {
    var bench = RPCBench()
    #expect(
      bench.server.receive([], on: .plan, arrived: bench.now, at: bench.now)
        == [.count(.unknownTopic)])
  }

  @Test(arguments: [RejectReason.tooLarge, .noRoom])
  func aRequestWithoutItsBodyIsRefused(cut: RejectReason) throws {
    var bench = RPCBench()
    let line = request(more: #","content_type":"image/jpeg""#) + "\nx"
    let actions = bench.server.receive(
      Array(line.utf8), on: .call(service: "device", method: "stats", target: "d0"),
      arrived: bench.now, cut: cut, at: bench.now)
    #expect(actions.calls.isEmpty && actions.counted == [cut])
    #expect(try actions.replies.map { $0.status?.code } == [.resourceExhausted])
  }

  @Test func bodiesMayBeBytes() throws {
    var bench = RPCBench { $0.requestBytes = 1 << 20 }
    let line = request(more: #","content_type":"image/jpeg""#) + "\n"
    let photo = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
    let actions = bench.server.receive(
      Array(line.utf8) + photo, on: .call(service: "device", method: "stats", target: "d0"),
      arrived: bench.now, at: bench.now)
    #expect(actions.calls.first?.request.body == .bytes(photo, type: "image/jpeg"))
    // An envelope on several lines is JSON alone.
    let pretty = "{\n\"id\":\"2\",\n\"client\":\"c\",\"deadline_ms\":5\n, \"body\": {}}\n\n"
    #expect(try bench.send(pretty).calls.first?.request.body == .json(.object([])))
  }
}
