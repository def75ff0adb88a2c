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
  /// Three brokers joined as `broker-config` joins those of edge, fog and cloud.
  @Suite(.serialized) struct Tiers {
    /// The bridge of a tier's configuration, to a broker at another port.
    private static func bridge(of tier: String, to port: UInt16) throws -> String {
      let text = try FileSystem.readText(checkout + "/broker-config/\(tier).conf")
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let start = try #require(lines.firstIndex { $0.hasPrefix("connection ") })
      return lines[start...].map {
        $0.hasPrefix("address ") ? "address 127.0.0.1:\(port)" : String($0)
      }.joined(separator: "\n")
    }

    static func withBrokers(
      edge: EmbeddedBroker, _ body: ([String: EmbeddedBroker]) throws -> Void
    ) throws {
      try withEmbeddedBroker(extraConfiguration: try bridge(of: "fog", to: edge.port)) { fog in
        try withEmbeddedBroker(extraConfiguration: try bridge(of: "cloud", to: fog.port)) { cloud in
          try body(["edge": edge, "fog": fog, "cloud": cloud])
        }
      }
    }

    /// Wherever the client is, the answers are those of one process and of one broker; a device that
    /// is lost behind two bridges is noticed, and noticed again when it returns.
    @Test(arguments: ["edge", "fog", "cloud"])
    func tiersAnswerAsOneBrokerDoes(_ clientTier: String) throws {
      try Deployment.with(planning: Vertical.plan) { deployment in
        try Tiers.withBrokers(edge: deployment.broker) { brokers in
          let watcher = try Watcher(try #require(brokers["cloud"]))
          defer { watcher.client.close() }
          try watcher.client.subscribe("martlet/1/default/act/#")
          try watcher.client.waitUntilReady(timeout: .seconds(10))
          let options = ["--deadline", "1s"]
          for name in deployment.names {
            try deployment.start(name, options, at: brokers[name])
          }
          let reference = try deployment.reference()
          let broker = try #require(brokers[clientTier])
          try deployment.withClient {
            if let address = try? Deployment.address(of: broker) { $0.address = address }
          } _: { client in
            try #require(try client.waitForDevices(timeout: .seconds(20)))
            for index in 0..<20 {
              let input = try deployment.digits[index]
              let answer = try client.answer(input)
              #expect(!answer.isDegraded && answer.attempts == 1)
              #expect(try answer.outputs == reference.run([input], alive: [true, true, true]))
            }
            // Each part climbs once and comes back by no other way.
            let parts = watcher.wait { messages in
              let count = messages.count { !PermissionCheck.isOne($0.payload) }
              return count >= 60 ? count : nil
            }
            #expect(parts == 60)
            try #require(deployment.workers["edge"]).signal(SIGKILL)
            let known = try client.answer(try deployment.digits[0]) { !$0.awaited[0] }
            #expect(known?.guess == 7)
            try deployment.start("edge", options, at: brokers["edge"])
            try #require(try client.waitForDevices(timeout: .seconds(20)))
            let input = try deployment.digits[1]
            let back = try #require(try client.answer(input) { $0.guess == nil })
            #expect(try back.outputs == reference.run([input], alive: [true, true, true]))
          }
        }
      }
    }

    /// A break between brokers is a loss of what is behind it, until the bridge stands again.
    @Test func aBridgeThatBreaksIsBuiltAgain() throws {
      try Deployment.with(planning: Vertical.plan) { deployment in
        try Tiers.withBrokers(edge: deployment.broker) { brokers in
          for name in deployment.names {
            try deployment.start(name, ["--deadline", "1s"], at: brokers[name])
          }
          try deployment.withClient { client in
            try #require(try client.waitForDevices(timeout: .seconds(20)))
            let fog = try #require(brokers["fog"])
            fog.crash()
            let lost = try client.answer(try deployment.digits[0]) { $0.guess != nil }
            #expect(lost != nil)
            try fog.restart()
            try #require(try client.waitForDevices(timeout: .seconds(30)))
            let input = try deployment.digits[1]
            let back = try #require(try client.answer(input) { $0.guess == nil })
            #expect(
              try back.outputs
                == deployment.reference().run([input], alive: [true, true, true]))
          }
        }
      }
    }
  }
}
