import Engine
import Foundations
import Glibc
import JSONCoding
import MQTT
import Plan
import Processes
import Runtime
import Synchronization
import TensorFiles
import Tensors
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// `martlet gateway` processes, between callers and workers.
  @Suite(.serialized) struct Gateways {
    /// Starts workers and gateways `g0`, `g1` and so on, and waits until all serve.
    private func with(
      devices: Int = 2, gateways: Int = 1, _ options: [String] = [],
      _ body: (Deployment, RPCClient, [ChildProcess]) throws -> Void
    ) throws {
      try Deployment.with(devices: devices) { deployment in
        try deployment.startAll()
        let children = try (0..<gateways).map { try deployment.startGateway("g\($0)", options) }
        try deployment.withCaller { caller in
          for number in 0..<gateways { try waitUntilServing(caller, "g\(number)") }
          try body(deployment, caller, children)
        }
      }
    }

    private func waitUntilServing(_ caller: RPCClient, _ name: String) throws {
      var call = RPCClient.Call(RPCMethod("health", "check"), target: name)
      call.deadline = .seconds(20)
      call.resendAfter = .milliseconds(100)
      let end = ContinuousClock.now + .seconds(20)
      while try caller.result(of: call)["status"] != .string("SERVING") {
        try #require(ContinuousClock.now < end, "\(name) never served")
      }
    }

    private func infer(_ bytes: [UInt8], deadline: Duration = .seconds(20)) -> RPCClient.Call {
      var call = RPCClient.Call(RPCMethod("inference", "infer"), target: "gateway")
      call.body = .bytes(bytes, type: ContentType(of: bytes).rawValue)
      call.deadline = deadline
      return call
    }

    /// A safetensors file.
    private func file(_ tensor: Tensor, in folder: String) throws -> [UInt8] {
      let path = folder + "/request.safetensors"
      try SafetensorsFile.write(path, tensors: [("image", tensor)])
      return try FileSystem.read(path)
    }

    private func status(_ body: () throws -> Void) -> String {
      failure(body)?.context.first { $0.key == "status" }?.value ?? "OK"
    }

    @Test func imagesAndTensorsAreAnsweredAsRunAnswersThem() throws {
      try with { deployment, caller, _ in
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<10 {
            let input = try deployment.digits[index]
            let direct = Prediction(
              scores: try client.answer(input).outputs.first?.floats ?? [], names: [])
            for bytes in [
              try deployment.digits.file(index), try file(input, in: deployment.folder),
            ] {
              let answer = try caller.result(of: infer(bytes))
              #expect(answer["label"] == .integer(Int64(direct.label ?? -1)))
              #expect(answer["confidence"] == .number(direct.top[0].confidence))
              #expect(answer["schema_version"] == .integer(2) && answer["truth"] == nil)
              #expect(answer["request_id"] != nil && answer["time"] != nil)
              #expect(answer["degraded"] == .array([]))
            }
          }
        }
        let jpeg = try FileSystem.read(
          FileSystem.folder(of: FileSystem.folder(of: #filePath)) + "/ImagingTests/Goldens/rgb.jpg")
        #expect(try caller.result(of: infer(jpeg))["top5"] != nil)
      }
    }

    @Test func badRequestsAreRefusedAndHurtNothing() throws {
      try with { deployment, caller, gateways in
        let png = try deployment.digits.file(0)
        // A header that claims 30,000 x 30,000 pixels.
        var bomb = png
        for (offset, byte) in zip(16..<24, [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]) {
          bomb[offset] = UInt8(byte)
        }
        let bad: [[UInt8]] = [
          Array("no image".utf8), Array(png.prefix(png.count / 2)), bomb,
          [0xff, 0xd8, 0xff], [UInt8](repeating: 0xff, count: 100_000),
          try file(Tensor([1, 2, 3], [Float](repeating: 0, count: 6)), in: deployment.folder),
          try file(
            Tensor(
              try deployment.digits[0].shape,
              [Float](repeating: .nan, count: try deployment.digits[0].shape.count)),
            in: deployment.folder),
        ]
        for bytes in bad {
          let code = status { _ = try caller.result(of: infer(bytes)) }
          #expect(code == "INVALID_ARGUMENT (3)" || code == "RESOURCE_EXHAUSTED (8)", "\(code)")
        }
        var call = infer(png)
        call.body = .json(.object([]))
        #expect(status { _ = try caller.result(of: call) } == "INVALID_ARGUMENT (3)")
        #expect(try caller.result(of: infer(png))["label"] != nil)
        #expect(gateways[0].exitStatus == nil)
      }
    }

    @Test func formatsThatAreNotReadAreNamed() throws {
      try with { _, caller, _ in
        let others: [(String, [UInt8])] = [
          ("a TIFF image", [0x49, 0x49, 0x2A, 0]),
          ("a GIF image", Array("GIF89a....".utf8)),
          ("a BMP image", Array("BM....".utf8) + [0, 0, 0, 0, 54]),
          ("a NumPy array", [0x93] + Array("NUMPY\u{1}\u{0}".utf8)),
        ]
        for (name, bytes) in others {
          let error = failure { _ = try caller.result(of: infer(bytes)) }
          #expect(error?.description.contains("INVALID_ARGUMENT") == true)
          for part in [name, "JPEG"] {
            #expect(error?.description.contains(part) == true, "\(String(describing: error))")
          }
        }
      }
    }

    /// As `mosquitto_pub -D publish response-topic REPLY -D publish correlation-data ID -f` sends it.
    @Test func anImageAloneIsAnsweredWhereItsPropertiesSay() throws {
      try with { deployment, caller, _ in
        let png = try deployment.digits.file(0)
        let expected = try caller.result(of: infer(png))["label"]
        let replies = Mutex<[[UInt8]]>([])
        let reply = "martlet/1/default/reply/plain/inference"
        let client = try MQTTClient(
          try deployment.address.broker, logger: quietLogger,
          onMessage: { message in
            let payload = Array(message.payload)
            replies.withLock { $0.append(payload) }
          })
        defer { client.close() }
        try client.subscribe([(reply, .atLeastOnce)])
        try client.connect(timeout: .seconds(10))
        try client.publish(
          MQTTMessage(
            topic: "martlet/1/default/rpc/inference/infer/gateway", payload: png,
            quality: .atLeastOnce,
            properties: MQTTProperties(responseTopic: reply, correlationData: Array("1".utf8))))
        let end = ContinuousClock.now + .seconds(20)
        while replies.withLock({ $0.isEmpty }), ContinuousClock.now < end { usleep(1000) }
        let answer = try JSON.decode(
          JSONValue.self, from: try #require(replies.withLock { $0.first }), source: "reply")
        #expect(answer["id"] == .string("1") && answer["status"] == .string("OK"))
        #expect(answer["body"]?["label"] == expected && expected != nil)
      }
    }

    @Test func overloadIsToldAndEveryRequestEndsOnce() throws {
      try with(["--in-flight", "1", "--waiting", "3"]) { deployment, caller, _ in
        let png = try deployment.digits.file(0)
        let ids = try (0..<100).map { _ in try caller.start(infer(png)) }
        var ends: [String: RPCCode] = [:]
        var answers = 0
        while ends.count < ids.count {
          switch try caller.next(until: .now() + .seconds(20)) {
          case .item?: answers += 1
          case .ended(let id, let status)?:
            #expect(ends.updateValue(status.code, forKey: id) == nil)
          case nil:
            Issue.record("no word of \(ids.count - ends.count) calls")
            return
          }
        }
        let counts = Dictionary(grouping: ends.values, by: { $0 }).mapValues(\.count)
        #expect(counts[.ok, default: 0] >= 4 && counts[.ok] == answers)
        #expect(counts[.resourceExhausted, default: 0] > 0, "\(counts)")
        #expect(
          counts.values.reduce(0, +) == (counts[.ok] ?? 0) + (counts[.resourceExhausted] ?? 0))
      }
    }

    @Test func withoutDevicesRequestsAreUnavailable() throws {
      try Deployment.with(devices: 2) { deployment in
        _ = try deployment.startGateway("g0")
        try deployment.withCaller { caller in
          var call = RPCClient.Call(RPCMethod("health", "check"), target: "g0")
          call.deadline = .seconds(20)
          call.resendAfter = .milliseconds(100)
          #expect(try caller.result(of: call)["status"] == .string("NOT_SERVING"))
          let png = try deployment.digits.file(0)
          #expect(status { _ = try caller.result(of: infer(png)) } == "UNAVAILABLE (14)")
          // They come, and it works.
          try deployment.startAll()
          try waitUntilServing(caller, "g0")
          #expect(try caller.result(of: infer(png))["label"] != nil)
        }
      }
    }

    /// The caller's deadline is shorter than what the gateway would wait for a silent device.
    @Test func theDeadlineIsPassedOn() throws {
      try with(devices: 3) { deployment, caller, _ in
        let png = try deployment.digits.file(0)
        deployment.workers["d2"]?.signal(SIGSTOP)
        defer { deployment.workers["d2"]?.signal(SIGCONT) }
        let end = ContinuousClock.now + .seconds(20)
        var isAnswered = false
        while !isAnswered, ContinuousClock.now < end {
          let start = ContinuousClock.now
          let status = status {
            let answer = try caller.result(of: infer(png, deadline: .milliseconds(700)))
            isAnswered = answer["degraded"] != .array([])
          }
          #expect(ContinuousClock.now - start < .seconds(2))
          #expect(["OK", "DEADLINE_EXCEEDED (4)"].contains(status), "\(status)")
        }
        #expect(isAnswered, "never answered without d2")
      }
    }

    @Test func severalShareTheWorkAndOneMayDie() throws {
      try with(gateways: 3) { deployment, caller, gateways in
        let count = 150
        var answered: [String: Int] = [:]
        for index in 0..<count {
          if index == 50 { gateways[1].signal(SIGKILL) }
          var call = infer(try deployment.digits.file(index))
          call.resendAfter = .seconds(1)
          var senders: [String] = []
          try caller.call(call) { _, from in senders.append(from) }
          #expect(senders.count == 1)
          for sender in senders { answered[sender, default: 0] += 1 }
        }
        #expect(answered.values.reduce(0, +) == count)
        #expect(Set(answered.keys) == ["g0", "g1", "g2"], "\(answered)")
        #expect(answered["g1", default: 0] < 50)
      }
    }

    @Test func oneThatIsToldToLeaveLosesNoRequest() throws {
      try with(gateways: 2) { deployment, caller, gateways in
        let png = try deployment.digits.file(3)
        var open: Set<String> = []
        for index in 0..<60 {
          if index == 20 { gateways[0].signal(SIGTERM) }
          open.insert(try caller.start(infer(png)))
          while open.count >= 4 || (index == 59 && !open.isEmpty) {
            switch try caller.next(until: .now() + .seconds(20)) {
            case .ended(let id, let status)?:
              #expect(status.code == .ok, "\(status)")
              open.remove(id)
            case .item?: break
            case nil:
              Issue.record("a request was lost")
              return
            }
          }
        }
        #expect(gateways[0].wait(timeout: .seconds(10)) == .exited(0))
      }
    }

    @Test func ofTwoGatewaysWithOneNameTheOlderStops() throws {
      try with { deployment, caller, gateways in
        let newer = try deployment.startGateway("g0")
        #expect(gateways[0].wait(timeout: .seconds(20)) == .exited(70))
        #expect(deployment.standardError(of: "g0").contains("another gateway has this name"))
        try waitUntilServing(caller, "g0")
        #expect(try caller.result(of: infer(try deployment.digits.file(0)))["label"] != nil)
        #expect(newer.exitStatus == nil)
      }
    }

    @Test func gatewaysAreSeen() throws {
      try with { deployment, _, gateways in
        let watch = try DeviceWatch(address: try deployment.address, logger: quietLogger)
        defer { watch.close() }
        try watch.connect(timeout: .seconds(10))
        func row() throws -> DeviceRoster.Row? {
          try watch.wait(.milliseconds(100))
          return watch.rows.first { $0.device == "g0" }
        }
        let end = ContinuousClock.now + .seconds(10)
        while try row()?.state != .alive { try #require(ContinuousClock.now < end) }
        #expect(
          try row()?.methods == ["device/describe", "health/check", "inference/infer"])
        gateways[0].signal(SIGKILL)
        while try row()?.state != .lost { try #require(ContinuousClock.now < end) }
      }
    }

    @Test func namesThatDevicesAndGroupsHaveAreRefused() throws {
      try Deployment.with(devices: 2) { deployment in
        for (options, word) in [
          (["--name", "d1"], "d1"), (["--group", "d0"], "d0"), (["--name", "gateway"], "gateway"),
          (["--name", "gateway", "--group", "other"], "gateway"),
          (["--name", "client"], "client"), (["--group", "client"], "client"),
        ] {
          let name = options[0] == "--name" ? options[1] : "g0"
          let gateway = try deployment.startGateway(name, options)
          #expect(gateway.wait(timeout: .seconds(20)) == .exited(64), "\(options)")
          #expect(deployment.standardError(of: name).contains(word), "\(options)")
        }
      }
    }
  }
}
