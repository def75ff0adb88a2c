import Foundations
import JSONCoding
import Testing
import WireProtocol

/// Damaged and random payloads: nothing traps, nothing leaves the sender's own topic, and what is
/// executed is a whole request.
@Suite struct RPCNoiseTests {
  @Test func damagedRequests() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let originals = [
      request(more: #","metadata":{"a":"b"},"body":{"count":2,"every_ms":10}"#),
      request(more: #","content_type":"image/png""#) + "\n\u{89}PNG....",
      request(more: #","reply":"martlet/1/default/reply/c/device""#),
    ].map { Array($0.utf8) }
    var bench = RPCBench {
      $0.runningCalls = .max
      $0.burst = 1_000_000
    }
    var executed = 0
    var refused = 0
    for round in 0..<20_000 {
      var payload = originals[round % originals.count]
      for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&payload, using: &random) }
      bench.now = bench.now.adding(milliseconds: 1)
      let actions = bench.server.receive(
        payload, on: .call(service: "device", method: "stats", target: "d0"),
        arrived: bench.now, at: bench.now)
      for call in actions.calls {
        executed += 1
        #expect(Identifier.isValid(call.key.client), "seed \(seed)")
        #expect(call.request.deadlineMilliseconds > 0, "seed \(seed)")
        _ = bench.server.finish(call.key, .ok, body: .null, at: bench.now)
      }
      refused += actions.calls.isEmpty ? 1 : 0
      for message in actions.messages {
        #expect(message.topic.hasPrefix("martlet/1/default/reply/"), "seed \(seed)")
      }
    }
    #expect(executed > 0 && refused > 0, "seed \(seed): the mutations test nothing")
  }

  @Test func damagedReplies() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededGenerator(seed: seed)
    let original = try RPCReply(
      id: "1", from: "d0", index: 3, status: RPCStatus(.notFound, "no"), body: .string("x")
    ).payload()
    var accepted = 0
    for _ in 0..<10_000 {
      var payload = original
      for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&payload, using: &random) }
      if let reply = try? RPCReply(payload: payload, source: "t") {
        accepted += 1
        #expect(Identifier.isValid(reply.from) && !reply.id.isEmpty, "seed \(seed)")
      }
    }
    #expect(accepted > 0 && accepted < 10_000, "seed \(seed): the mutations test nothing")
  }

  /// Against a model: whatever comes in whatever order, a call is executed at most once before its
  /// deadline, ends exactly once, and is answered in order.
  @Test func randomTrafficKeepsThePromises() throws {
    for _ in 0..<50 {
      let seed = UInt64.random(in: 0...UInt64.max)
      var random = SeededGenerator(seed: seed)
      var bench = RPCBench {
        $0.runningCalls = 5
        $0.rememberedCalls = 30
        $0.answerBytes = 4000
        $0.burst = 1000
      }
      var lastDeadline: [RPCCallKey: MonotonicTime] = [:]
      var running: Set<RPCCallKey> = []
      func check(_ actions: [RPCServerState.Action]) throws {
        for call in actions.calls {
          if let before = lastDeadline[call.key] {
            #expect(before <= bench.now, "seed \(seed): executed twice within its deadline")
          }
          lastDeadline[call.key] = call.deadline
          #expect(running.insert(call.key).inserted, "seed \(seed)")
        }
        for key in actions.abandoned {
          #expect(running.remove(key) != nil, "seed \(seed): abandoned what did not run")
        }
      }
      for _ in 0..<400 {
        bench.now = bench.now.adding(milliseconds: UInt64.random(in: 0...30, using: &random))
        try check(bench.server.expire(at: bench.now))
        let id = "\(Int.random(in: 0..<40, using: &random))"
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<6:
          try check(
            bench.send(
              request(id: id, deadline: "\(Int.random(in: 1...400, using: &random))")))
        case 6: try check(bench.send(#"{"id":"\#(id)","client":"c"}"#, to: "device/cancel"))
        case 7:
          if let key = running.randomElement(using: &random) {
            _ = bench.server.send(.null, of: key, at: bench.now)
          }
        default:
          if let key = running.randomElement(using: &random) {
            let replies = try bench.server.finish(key, .ok, at: bench.now).replies
            #expect(replies.map(\.isLast) == [true], "seed \(seed)")
            running.remove(key)
          }
        }
        #expect(bench.server.runningCalls == running.count, "seed \(seed)")
        #expect(running.count <= 5, "seed \(seed)")
      }
    }
  }
}
