import MQTT
import Processes
import Runtime
import TensorCore
import Testing
import WireProtocol

@Suite struct InputWatchTests {
  private func at(_ seconds: UInt64) -> MonotonicTime {
    MonotonicTime(nanoseconds: seconds * 1_000_000_000)
  }

  /// Parts that come for more than five seconds without any input are told of once.
  @Test func partsWithoutInputsAreNoticed() {
    var watch = InputWatch()
    let told = (100...120).map { watch.part(at: at($0)) }
    #expect(told.firstIndex(of: true) == 6)
    #expect(told.count { $0 } == 1)
  }

  @Test func oneInputIsEnough() {
    var watch = InputWatch()
    let first = watch.part(at: at(100))
    watch.input()
    let told = (101...200).map { watch.part(at: at($0)) }
    #expect(!first && !told.contains(true))
  }
}

extension DistributedTests {
  @Suite(.serialized) struct PermissionChecks {
    /// What a worker publishes to find out about its rights is recognised by all others.
    @Test func theyAreToldFromMessages() throws {
      try Deployment.with(devices: 2) { deployment in
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        try watcher.client.subscribe("martlet/1/default/#", quality: .atLeastOnce)
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        try deployment.start("d0")
        let topics = ["presence/d0", "heartbeat/d0", "act/"]
        let found = watcher.wait { messages in
          let checks = messages.filter { PermissionCheck.isOne($0.payload) && !$0.retain }
          let isComplete = topics.allSatisfy { topic in
            checks.contains { $0.topic.contains(topic) }
          }
          return isComplete ? true : nil
        }
        #expect(found == true)
      }
    }
  }
}
