import Engine
import Foundations
import Glibc
import JSONCoding
import MQTT
import Plan
import Processes
import Runtime
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// Remote calls to worker processes through a real broker.
  @Suite(.serialized) struct Calls {
    private let root = "martlet/1/default/"

    @Test func everyDeviceAnswers() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll()
        try deployment.withCaller { caller in
          for device in deployment.names {
            let health = try caller.result(of: .init(RPCMethod("health", "check"), target: device))
            #expect(health["status"] == .string("SERVING"))
            let description = try caller.result(
              of: .init(RPCMethod("device", "describe"), target: device))
            #expect(description["plan"] == .string(deployment.plan.id))
            #expect(
              description["methods"]
                == .array(
                  ["device/describe", "device/stats", "health/check"].map(JSONValue.string)))
          }
          try deployment.withClient { client in
            try #require(try client.waitForDevices(timeout: .seconds(20)))
            for index in 0..<7 { _ = try client.answer(try deployment.digits[index]) }
          }
          // The answer may be there before the device has put the last frame away.
          var call = RPCClient.Call(RPCMethod("device", "stats"), target: "d1")
          call.body = .json(
            .object([.init("count", .integer(50)), .init("every_ms", .integer(20))]))
          var frames: [JSONValue?] = []
          var stats = JSONValue.null
          try caller.call(call) { body, _ in
            frames.append(body["frames_finished"])
            stats = body
          }
          #expect(frames.count == 50 && frames.last == .integer(7), "\(frames)")
          #expect(stats["peers"]?["d0"] == .string("alive"))
        }
      }
    }

    @Test func numbersAreStreamed() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll()
        try deployment.withCaller { caller in
          var call = RPCClient.Call(RPCMethod("device", "stats"), target: "d0")
          call.body = .json(
            .object([.init("count", .integer(5)), .init("every_ms", .integer(20))]))
          var uptimes: [Int64] = []
          try caller.call(call) { body, from in
            #expect(from == "d0")
            if case .integer(let uptime)? = body["uptime_ms"] { uptimes.append(uptime) }
          }
          #expect(uptimes.count == 5 && uptimes == uptimes.sorted())
          #expect((uptimes.last ?? 0) - (uptimes.first ?? 0) >= 80)

          // A stream ends when its caller has had enough, and at its deadline.
          call.body = .json(
            .object([.init("count", .integer(1000)), .init("every_ms", .integer(20))]))
          let id = try caller.start(call)
          let first = try caller.next(until: .now() + .seconds(10))
          guard case .item? = first else {
            Issue.record("\(first as Any)")
            return
          }
          caller.cancel(id)
          call.deadline = .milliseconds(300)
          var items = 0
          let error = failure { try caller.call(call) { _, _ in items += 1 } }
          #expect(error?.code == .timedOut)
          #expect((2...16).contains(items), "\(items)")
          // Nothing of the first stream comes any more, and the device still answers.
          let after = try caller.result(of: .init(RPCMethod("health", "check"), target: "d0"))
          #expect(after["status"] == .string("SERVING"))
        }
      }
    }

    @Test func failuresHaveTheirStatus() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll()
        try deployment.withCaller { caller in
          func error(
            _ method: RPCMethod, _ body: JSONValue = .object([]), target: String = "d0",
            deadline: Duration = .seconds(10)
          ) -> String {
            var call = RPCClient.Call(method, target: target)
            call.body = .json(body)
            call.deadline = deadline
            let error = failure { _ = try caller.result(of: call) }
            return error?.context.first { $0.key == "status" }?.value ?? "none"
          }
          #expect(error(RPCMethod("device", "none")) == "UNIMPLEMENTED (12)")
          #expect(error(RPCMethod("none", "none")) == "UNIMPLEMENTED (12)")
          #expect(
            error(RPCMethod("device", "stats"), .object([.init("count", .integer(0))]))
              == "INVALID_ARGUMENT (3)")
          #expect(error(RPCMethod("device", "stats"), .integer(5)) == "INVALID_ARGUMENT (3)")
          #expect(
            error(RPCMethod("health", "check"), .object([.init("service", .string("x"))]))
              == "NOT_FOUND (5)")
          #expect(
            error(RPCMethod("device", "fault"), .object([.init("kind", .string("exit"))]))
              == "PERMISSION_DENIED (7)")
          #expect(
            error(RPCMethod("health", "check"), target: "d9", deadline: .milliseconds(100))
              == "DEADLINE_EXCEEDED (4)")
        }
      }
    }

    /// A client of MQTT 3.1.1, or one behind a bridge, knows no properties.
    @Test func thePayloadSaysEverything() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.start("d0")
        try deployment.withCaller { _ in }
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        try watcher.client.subscribe(root + "reply/bare/+", quality: .atLeastOnce)
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        try watcher.client.publish(
          MQTTMessage(
            topic: root + "rpc/health/check/d0",
            text: #"{"id":"mine","client":"bare","deadline_ms":5000}"#, quality: .atLeastOnce))
        let reply = watcher.wait { $0.first }
        #expect(reply?.topic == root + "reply/bare/health")
        #expect(reply?.quality == .atLeastOnce && reply?.retain == false)
        #expect(reply?.properties.correlationData == Array("mine".utf8))
        #expect((reply?.properties.expirySeconds).map { (1...5).contains($0) } == true)
        let text = String(decoding: reply?.payload ?? [], as: UTF8.self)
        #expect(
          text.hasPrefix(#"{"id":"mine","from":"d0","index":0,"last":true,"code":0,"#), "\(text)")
      }
    }

    @Test func repeatedRequestsAreExecutedOnce() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.start("d0")
        try deployment.withCaller { _ in }
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        try watcher.client.subscribe(root + "reply/twin/+", quality: .atLeastOnce)
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        for _ in 0..<5 {
          try watcher.client.publish(
            MQTTMessage(
              topic: root + "rpc/device/stats/d0",
              text: #"{"id":"same","client":"twin","deadline_ms":60000}"#, quality: .atLeastOnce))
        }
        let replies = watcher.wait { $0.count >= 5 ? $0 : nil }
        // The numbers of one moment, five times.
        #expect(Set(replies?.map(\.payload) ?? []).count == 1)
      }
    }

    @Test func hostileRequestsHurtNobody() throws {
      try Deployment.with { deployment in
        try deployment.startAll()
        let reference = try deployment.reference()
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        for filter in ["reply/+/+", "presence/evil"] {
          try watcher.client.subscribe(root + filter, quality: .atLeastOnce)
        }
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        let bad: [(String, [UInt8])] = [
          ("rpc/device/stats/d0", []), ("rpc/device/stats/d0", [0xff, 0xfe, 0]),
          ("rpc/device/stats/d0", Array("{".utf8)),
          ("rpc/device/stats/d0", [UInt8](repeating: UInt8(ascii: "["), count: 60_000)),
          ("rpc/device/stats/d0", [UInt8](repeating: 0x20, count: 3 << 20)),
          ("rpc/a/b/d0", Array(#"{"id":"1","client":"../../x","deadline_ms":1}"#.utf8)),
          ("rpc/a/b/c/d0", Array("{}".utf8)), ("rpc//b/d0", Array("{}".utf8)),
          (
            "rpc/health/check/d0",
            Array(
              #"{"id":"1","client":"me","deadline_ms":9,"reply":"martlet/1/default/presence/evil"}"#
                .utf8)
          ),
          ("rpc/device/cancel/d0", Array(#"{"id":"1","client":"me"}"#.utf8)),
        ]
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<20 {
            for (topic, payload) in bad {
              try watcher.client.publish(
                MQTTMessage(topic: root + topic, payload: payload, quality: .atLeastOnce))
            }
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(!answer.isDegraded)
            #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
          }
        }
        try watcher.client.flush(timeout: .seconds(10))
        let told = watcher.wait { messages in messages.count >= 20 ? messages : nil } ?? []
        #expect(told.allSatisfy { $0.topic == root + "reply/me/health" })
        try deployment.withCaller { caller in
          let stats = try caller.result(of: .init(RPCMethod("device", "stats"), target: "d0"))
          guard case .integer(let garbage)? = stats["drops"]?["garbage"],
            case .integer(let tooLarge)? = stats["drops"]?["tooLarge"]
          else {
            Issue.record("\(stats)")
            return
          }
          #expect(garbage == 20 * 6 && tooLarge == 20, "\(stats["drops"] as Any)")
        }
        #expect(deployment.workers.values.allSatisfy { $0.exitStatus == nil })
      }
    }

    @Test func callsGoOnAfterTheBrokerReturns() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.start("d0")
        try deployment.withCaller { caller in
          deployment.broker.crash()
          try deployment.broker.restart()
          var call = RPCClient.Call(RPCMethod("health", "check"), target: "d0")
          call.deadline = .seconds(20)
          call.resendAfter = .milliseconds(200)
          #expect(try caller.result(of: call)["status"] == .string("SERVING"))
        }
      }
    }

    @Test func aDeviceThatLeavesEndsItsStreams() throws {
      try Deployment.with(devices: 2) { deployment in
        let worker = try deployment.start("d0")
        try deployment.withCaller { caller in
          var call = RPCClient.Call(RPCMethod("device", "stats"), target: "d0")
          call.body = .json(.object([.init("count", .integer(10_000))]))
          call.deadline = .seconds(60)
          var items = 0
          let error = failure {
            try caller.call(call) { _, _ in
              items += 1
              worker.signal(SIGTERM)
            }
          }
          #expect(items >= 1 && error?.code == .unreachable, "\(error as Any)")
          #expect(worker.wait(timeout: .seconds(10)) == .exited(0))
        }
      }
    }

    /// More requests than a device takes: the rest are told so, and it goes on.
    @Test func overloadIsTold() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.start("d0")
        try deployment.withCaller { caller in
          var call = RPCClient.Call(RPCMethod("device", "stats"), target: "d0")
          call.body = .json(
            .object([.init("count", .integer(10_000)), .init("every_ms", .integer(60_000))]))
          call.deadline = .seconds(20)
          let ids = try (0..<80).map { _ in try caller.start(call) }
          var refused: Set<String> = []
          var begun: Set<String> = []
          while refused.count + begun.count < ids.count {
            switch try caller.next(until: .now() + .seconds(10)) {
            case .item(let id, _, _)?: begun.insert(id)
            case .ended(let id, let status)?:
              #expect(status.code == .resourceExhausted)
              refused.insert(id)
            case nil:
              Issue.record("no word of \(ids.count - refused.count - begun.count) calls")
              return
            }
          }
          #expect(begun.count == 64 && refused.count == 16)
          for id in begun { caller.cancel(id) }
          let health = try caller.result(of: .init(RPCMethod("health", "check"), target: "d0"))
          #expect(health["status"] == .string("SERVING"))
        }
      }
    }
  }
}

extension Deployment {
  /// Runs `body` with a connected caller once every started worker answers.
  func withCaller<Result>(_ body: (RPCClient) throws -> Result) throws -> Result {
    let caller = try RPCClient(address: try address, logger: quietLogger)
    defer { caller.close() }
    try caller.connect(timeout: .seconds(10))
    for device in workers.keys.sorted() {
      var call = RPCClient.Call(RPCMethod("health", "check"), target: device)
      call.deadline = .seconds(20)
      call.resendAfter = .milliseconds(100)
      _ = try caller.result(of: call)
    }
    return try body(caller)
  }
}
