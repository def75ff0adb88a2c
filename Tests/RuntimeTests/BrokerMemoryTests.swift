import Engine
import Foundations
import Glibc
import MQTT
import Processes
import Runtime
import TensorFiles
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// A broker that keeps retained messages on disk, and what it says of a device that died while the
  /// broker was away.
  @Suite(.serialized) struct BrokerMemory {
    private static let persistence = """
      persistence true
      persistence_location {FOLDER}/
      """

    /// Lets the broker write what it remembers, which it does between two messages.
    private func save(_ broker: EmbeddedBroker, _ watcher: Watcher) throws -> Bool {
      let process = try #require(broker.processID)
      kill(process, SIGUSR1)
      let end = MonotonicTime.now() + .seconds(20)
      while MonotonicTime.now() < end {
        try watcher.client.publish(
          MQTTMessage(topic: "elsewhere", text: "anything", quality: .atLeastOnce))
        try watcher.client.flush(timeout: .seconds(10))
        let file = broker.folder + "/mosquitto.db"
        if FileSystem.exists(file), let bytes = try? FileSystem.read(file),
          String(decoding: bytes, as: UTF8.self).contains("presence/d2")
        {
          return true
        }
      }
      return false
    }

    private func retainedState(_ broker: EmbeddedBroker) throws -> Presence.State? {
      let watcher = try Watcher(broker)
      defer { watcher.client.close() }
      try watcher.client.subscribe("martlet/1/default/presence/d2", quality: .atLeastOnce)
      try watcher.client.waitUntilReady(timeout: .seconds(10))
      let message = watcher.wait { $0.first { $0.retain } }
      return try message.map { try Presence(payload: $0.payload, source: $0.topic).state }
    }

    /// A broker that is asked to stop sends the wills first and remembers them; one that is killed
    /// remembers that all are ready.
    @Test(arguments: [SIGTERM, SIGKILL])
    func aDeviceThatDiedMeanwhileIsNotTrusted(signal: Int32) throws {
      try Deployment.with(brokerConfiguration: Self.persistence) { deployment in
        let options = ["--deadline", "300ms"]
        try deployment.startAll(options)
        func quick(_ configuration: inout ClientConfiguration) {
          configuration.deadline = .fixed(.milliseconds(300))
          configuration.frameLimit = .seconds(1)
        }
        try deployment.withClient(quick) { old in
          try #require(try old.waitForDevices(timeout: .seconds(20)))
          _ = try old.answer(try deployment.digits[0])
          let watcher = try Watcher(deployment.broker)
          defer { watcher.client.close() }
          try #require(try save(deployment.broker, watcher))
          signal == SIGTERM ? deployment.broker.shutDown() : deployment.broker.crash()
          let victim = try #require(deployment.workers["d2"])
          victim.signal(SIGKILL)
          _ = victim.wait(timeout: .seconds(10))
          try deployment.broker.restart()
          #expect(try retainedState(deployment.broker) == (signal == SIGTERM ? .lost : .ready))
          try deployment.withClient(quick) { new in
            // One has known all devices before, the other knows what the broker says.
            for client in [old, new] {
              #expect(try client.waitForDevices(3, timeout: .seconds(20)))
              let doubtful = client === old ? "suspect" : "unknown"
              let expected = signal == SIGTERM ? "lost" : doubtful
              // The others are all used, and it is not.
              let answer = try client.answer(try deployment.digits[1]) { answer in
                answer.awaited == [true, true, false, true]
                  && answer.fills.allSatisfy { $0.device == "d2" }
                  && client.devices[2].state == expected
              }
              #expect(answer != nil, "\(client.devices)")
            }
            try deployment.start("d2", options)
            for client in [old, new] {
              #expect(try client.waitForDevices(timeout: .seconds(20)))
              let whole = try client.answer(try deployment.digits[2]) {
                !$0.isDegraded && !$0.awaited.contains(false)
              }
              #expect(whole != nil)
            }
          }
        }
        #expect(deployment.workers.values.allSatisfy { $0.exitStatus == nil })
      }
    }

    /// A newer worker of a name is noticed although the broker has forgotten its presence.
    @Test func aNewerWorkerShowsInItsHeartbeats() throws {
      try Deployment.with(devices: 2) { deployment in
        let worker = try deployment.start("d0")
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        try watcher.client.subscribe("martlet/1/default/presence/d0", quality: .atLeastOnce)
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        let ready = watcher.wait { messages in
          messages.lazy.compactMap { try? Presence(payload: $0.payload, source: $0.topic) }
            .first { $0.state == .ready }
        }
        let epoch = try #require(ready).epoch
        func beat(_ epoch: UInt64) throws {
          let beat = Heartbeat(epoch: epoch, sequence: 1, frame: 0, queue: 0, residentBytes: 1)
          try watcher.client.publish(
            MQTTMessage(
              topic: "martlet/1/default/heartbeat/d0", payload: try beat.payload(),
              quality: .atLeastOnce))
          try watcher.client.flush(timeout: .seconds(10))
        }
        // An older one gives way itself.
        try beat(epoch - 1)
        try beat(epoch + 1)
        #expect(worker.wait(timeout: .seconds(20)) == .exited(70))
        let log = deployment.standardError(of: "d0")
        #expect(log.contains("its epoch: \(epoch + 1)"), "\(log)")
      }
    }
  }
}
