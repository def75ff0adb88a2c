import Foundations
import MQTT
import Processes
import Runtime
import Testing
import WireProtocol

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
