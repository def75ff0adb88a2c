import Engine
import Foundations
import Glibc
import MQTT
import Plan
import Processes
import Runtime
import TensorFiles
import Tensors
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// Epochs that are wrong, and retained words that others damage.
  @Suite(.serialized) struct Epochs {
    private func presence(
      of device: String, _ watcher: Watcher, after count: Int = 0,
      until condition: (Presence) -> Bool
    ) -> Presence? {
      watcher.wait { messages in
        messages.dropFirst(count).lazy.filter { $0.topic.hasSuffix("presence/\(device)") }
          .compactMap { try? Presence(payload: $0.payload, source: $0.topic) }
          .first(where: condition)
      }
    }

    private func watch(_ deployment: Deployment, _ topics: [String]) throws -> Watcher {
      let watcher = try Watcher(deployment.broker)
      for topic in topics {
        try watcher.client.subscribe("martlet/1/default/" + topic, quality: .atLeastOnce)
      }
      try watcher.client.waitUntilReady(timeout: .seconds(10))
      return watcher
    }

    /// The parts that go by, repeated with the highest epoch there is.
    @Test func aForgedEpochShutsNobodyOut() throws {
      try Deployment.with(devices: 3) { deployment in
        try deployment.startAll()
        let watcher = try watch(deployment, ["act/+/+"])
        defer { watcher.client.close() }
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<5 { _ = try client.answer(try deployment.digits[index]) }
          // Workers try at their start what they may publish.
          let seen = try #require(
            watcher.wait { messages in
              let parts = messages.filter { !PermissionCheck.isOne($0.payload) }
              return parts.count >= 20 ? parts : nil
            })
          var forged = 0
          for message in seen {
            let payload: [UInt8]? = try message.payload.withUnsafeBytes { bytes in
              let part = try TensorMessage(decoding: bytes)
              let header = part.header
              let copy = try TensorHeader(
                frame: header.frame, stage: header.stage, epoch: Epoch.maximum,
                sequence: header.sequence, plan: header.plan, client: header.client,
                layer: header.layer, device: header.device, shape: header.shape)
              var values = [Float](repeating: 0, count: part.count)
              values.withUnsafeMutableBufferPointer { part.copyElements(into: $0) }
              var encoder = try TensorEncoder(elementType: .float32)
              var result: [UInt8]?
              values.withUnsafeBufferPointer { encoder.encode(copy, $0) { result = $0 } }
              return result
            }
            try watcher.client.publish(
              MQTTMessage(topic: message.topic, payload: try #require(payload)))
            forged += 1
          }
          try watcher.client.flush(timeout: .seconds(5))
          #expect(forged >= 20)
          let reference = try deployment.reference()
          for index in 0..<30 {
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(!answer.isDegraded && !answer.awaited.contains(false))
            #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
          }
        }
      }
    }

    /// Presence whose epoch cannot be right is refused by all, and set right by its device.
    @Test func presenceFromTheFarFutureIsRefused() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll()
        let watcher = try watch(deployment, ["presence/d0"])
        defer { watcher.client.close() }
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let own = try #require(presence(of: "d0", watcher) { $0.state == .ready })
          let count = watcher.messages.count
          let forged = Presence(
            state: .lost, epoch: Epoch.maximum, heartbeatMilliseconds: 500, version: "0")
          try watcher.client.publish(
            MQTTMessage(
              topic: "martlet/1/default/presence/d0", payload: try forged.payload(),
              quality: .atLeastOnce, retain: true))
          #expect(presence(of: "d0", watcher, after: count) { $0 == own } != nil)
          for index in 0..<20 {
            let answer = try client.answer(try deployment.digits[index])
            #expect(!answer.isDegraded && !answer.awaited.contains(false))
          }
          #expect(deployment.workers["d0"]?.exitStatus == nil)
          #expect(deployment.standardError(of: "d1").contains("ten years ahead"))
        }
      }
    }

    /// After the clock went back a worker goes on after its last run, if that is gone, without having
    /// saved anything.
    @Test(arguments: [SIGTERM, SIGKILL])
    func aClockThatWentBackStopsNobody(_ signal: Int32) throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll()
        let watcher = try watch(deployment, ["presence/d0"])
        defer { watcher.client.close() }
        let first = try #require(presence(of: "d0", watcher) { $0.state == .ready })
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          _ = try client.answer(try deployment.digits[0])
          let worker = try #require(deployment.workers["d0"])
          worker.signal(signal)
          _ = worker.wait(timeout: .seconds(20))
          try #require(presence(of: "d0", watcher) { $0.state.isGone } != nil)
          let again = try deployment.start("d0", ["--clock-offset=-7200"])
          let second = presence(of: "d0", watcher) { $0.state == .ready && $0.epoch > first.epoch }
          #expect(second?.epoch == first.epoch + 1)
          let isBack = try client.answer(try deployment.digits[0]) { answer in
            !answer.isDegraded && !answer.awaited.contains(false)
          }
          #expect(isBack != nil)
          #expect(again.exitStatus == nil)
          #expect(deployment.standardError(of: "d0").contains("clock has gone back"))
        }
      }
    }

    /// Where the other run lives, the one that starts with an older clock gives way, and names it.
    @Test func aClockThatIsBehindIsNamed() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll()
        let watcher = try watch(deployment, ["presence/d0"])
        defer { watcher.client.close() }
        try #require(presence(of: "d0", watcher) { $0.state == .ready } != nil)
        let first = try #require(deployment.workers["d0"])
        let second = try deployment.start("d0", ["--clock-offset=-7200"])
        #expect(second.wait(timeout: .seconds(20)) == .exited(70))
        #expect(deployment.standardError(of: "d0").contains("clock is behind"))
        first.signal(SIGTERM)
        #expect(first.wait(timeout: .seconds(20)) == .exited(0))
      }
    }

    /// A gateway goes on after its last run, too, if that is gone.
    @Test(arguments: [SIGTERM, SIGKILL])
    func aGatewayGoesOnAfterItsLastRun(_ signal: Int32) throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll()
        let watcher = try watch(deployment, ["presence/g0"])
        defer { watcher.client.close() }
        let gateway = try deployment.startGateway("g0")
        let first = try #require(presence(of: "g0", watcher) { $0.state == .ready })
        gateway.signal(signal)
        try #require(presence(of: "g0", watcher) { $0.state.isGone } != nil)
        let again = try deployment.startGateway("g0", ["--clock-offset=-7200"])
        let second = presence(of: "g0", watcher) { $0.state == .ready && $0.epoch > first.epoch }
        #expect(second?.epoch == first.epoch + 1)
        #expect(again.exitStatus == nil)
      }
    }

    /// Every beat of a newer gateway tells again what its presence told once.
    @Test func aGatewayStopsForTheBeatOfANewerOne() throws {
      try Deployment.with(devices: 2) { deployment in
        let watcher = try watch(deployment, ["presence/g0"])
        defer { watcher.client.close() }
        let gateway = try deployment.startGateway("g0")
        let epoch = try #require(presence(of: "g0", watcher) { $0.state == .ready }).epoch
        func beat(_ epoch: UInt64) throws {
          let beat = Heartbeat(epoch: epoch, sequence: 1, frame: 0, queue: 0, residentBytes: 1)
          try watcher.client.publish(
            MQTTMessage(
              topic: "martlet/1/default/heartbeat/g0", payload: try beat.payload(),
              quality: .atLeastOnce))
          try watcher.client.flush(timeout: .seconds(10))
        }
        // An older one gives way itself, and an epoch that cannot be right stops nobody.
        try beat(epoch - 1)
        try beat(Epoch.maximum)
        try beat(epoch + 1)
        #expect(gateway.wait(timeout: .seconds(20)) == .exited(70))
        let log = deployment.standardError(of: "g0")
        #expect(log.contains("another gateway has this name"), "\(log)")
        #expect(log.contains("its epoch: \(epoch + 1)"), "\(log)")
      }
    }

    /// Where the other gateway lives, the one that starts with an older clock gives way.
    @Test func aGatewayWhoseClockIsBehindGivesWay() throws {
      try Deployment.with(devices: 2) { deployment in
        let watcher = try watch(deployment, ["presence/g0"])
        defer { watcher.client.close() }
        let first = try deployment.startGateway("g0")
        try #require(presence(of: "g0", watcher) { $0.state == .ready } != nil)
        let second = try deployment.startGateway("g0", ["--clock-offset=-7200"])
        #expect(second.wait(timeout: .seconds(20)) == .exited(70))
        #expect(deployment.standardError(of: "g0").contains("clock is behind"))
        first.signal(SIGTERM)
        #expect(first.wait(timeout: .seconds(20)) == .exited(0))
      }
    }

    // MARK: Retained words

    /// Whoever clears or damages what is retained of a living device or gateway finds it again at once.
    @Test(arguments: ["", "{", #"{"state":"ready","epoch":1,"heartbeat_ms":500,"version":"0"}"#])
    func whatIsRetainedIsSaidAgain(_ nonsense: String) throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll()
        _ = try deployment.startGateway("g0")
        let watcher = try watch(deployment, ["presence/+", "desc/+"])
        defer { watcher.client.close() }
        for name in ["d0", "d1", "g0"] {
          try #require(presence(of: name, watcher) { $0.state == .ready } != nil)
        }
        let count = watcher.messages.count
        for topic in ["presence/d0", "desc/d0", "presence/g0", "desc/g0"] {
          try watcher.client.publish(
            MQTTMessage(
              topic: "martlet/1/default/" + topic, payload: Array(nonsense.utf8),
              quality: .atLeastOnce, retain: true))
        }
        for name in ["d0", "g0"] {
          #expect(
            presence(of: name, watcher, after: count) { $0.state == .ready && $0.epoch > 1 } != nil,
            "presence of \(name)")
          let description = watcher.wait { messages in
            messages.dropFirst(count).lazy.filter { $0.topic.hasSuffix("desc/\(name)") }
              .compactMap { try? DeviceDescription(payload: $0.payload, source: $0.topic) }.first
          }
          #expect(description?.plan == deployment.plan.id, "description of \(name)")
        }
        // They are retained: whoever comes now finds them.
        let late = try watch(deployment, ["presence/+", "desc/+"])
        defer { late.client.close() }
        let names = late.wait { messages -> Bool? in
          let topics = Set(messages.filter { !$0.payload.isEmpty }.map(\.topic))
          return topics.count == 6 ? true : nil
        }
        #expect(names == true, "\(late.messages.map(\.topic))")
        #expect(deployment.workers["d0"]?.exitStatus == nil)
      }
    }
  }
}
