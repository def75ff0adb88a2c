import Engine
import Foundations
import Glibc
import MQTT
import Plan
import Processes
import Runtime
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// Workers that die, stall, leave and come back.
  @Suite(.serialized) struct Failures {
    private func quick(_ configuration: inout ClientConfiguration) {
      configuration.deadline = .fixed(.milliseconds(300))
    }

    /// Every device counted on, and nothing missing.
    private func isFull(_ answer: Answer) -> Bool {
      !answer.isDegraded && !answer.awaited.contains(false)
    }

    @Test func aKilledWorkerIsReplacedByZerosUntilItReturns() throws {
      try Deployment.with { deployment in
        try deployment.startAll(["--deadline", "300ms"])
        let reference = try deployment.reference()
        try deployment.withClient(quick) { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<10 { _ = try client.answer(try deployment.digits[index]) }
          // Frames are under way when it dies.
          for index in 0..<3 { _ = try client.submit(try deployment.digits[index]) }
          let victim = try #require(deployment.workers["d1"])
          victim.signal(SIGKILL)
          for _ in 0..<3 { _ = try client.next() }
          let detected = try client.answer(try deployment.digits[0]) { !$0.awaited[1] }
          try #require(detected != nil, "the loss was never noticed")
          for index in 0..<20 {
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(try answer.outputs == reference.run([input], alive: [true, false, true, true]))
            #expect(Set(answer.fills.map(\.device)) == ["d1"])
            #expect(Set(answer.fills.map(\.reason)) == ["lost"])
          }
          try deployment.start("d1", ["--deadline", "300ms"])
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          try #require(try client.answer(try deployment.digits[0], until: isFull) != nil)
          for index in 0..<20 {
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(isFull(answer))
            #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
          }
        }
      }
    }

    @Test func aStalledWorkerIsWaitedForOnceAndReturns() throws {
      try Deployment.with { deployment in
        try deployment.startAll(["--deadline", "300ms"])
        try deployment.withClient(quick) { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let victim = try #require(deployment.workers["d2"])
          victim.signal(SIGSTOP)
          var slow = 0
          for index in 0..<40 {
            let answer = try client.answer(try deployment.digits[index])
            #expect(answer.isDegraded)
            #expect(
              Set(answer.fills.map(\.device)) == ["d2"], "frame \(index): \(answer.report.text)")
            #expect(Set(answer.fills.map(\.reason)).isSubset(of: ["deadline", "suspect"]))
            if answer.latency > .milliseconds(250) { slow += 1 }
          }
          #expect(slow <= 3, "only the first frames may wait for a stalled device")
          victim.signal(SIGCONT)
          let full = try client.answer(try deployment.digits[0], until: isFull)
          #expect(full != nil, "the stalled device never came back")
          let reference = try deployment.reference()
          let input = try deployment.digits[1]
          #expect(
            try full?.outputs
              == reference.run([try deployment.digits[0]], alive: deployment.alive()))
          let answer = try #require(try client.answer(input, until: isFull))
          #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
        }
      }
    }

    /// Parts that came in time are used, however late the caller asks for the answer.
    @Test func aSlowCallerLosesNothing() throws {
      try Deployment.with { deployment in
        try deployment.startAll()
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        let last = deployment.plan.plan.exchanges.map(\.id).last ?? ""
        for name in deployment.names {
          try watcher.client.subscribe("martlet/1/default/act/\(last)/\(name)")
        }
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        try deployment.withClient {
          $0.deadline = .fixed(.milliseconds(150))
        } _: { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for round in 1...6 {
            for index in 0..<4 { _ = try client.submit(try deployment.digits[index]) }
            // By the time of the first answer, some parts of the second are usually there.
            var degraded = [try client.next().isDegraded]
            let all = watcher.wait { $0.count >= round * 16 ? true : nil }
            try #require(all == true)
            // Now every part has left the broker; the caller stays away past the deadline.
            let end = ContinuousClock.now + .milliseconds(170)
            while ContinuousClock.now < end {}
            for _ in 0..<3 { degraded.append(try client.next().isDegraded) }
            #expect(!degraded.contains(true), "round \(round): \(degraded)")
          }
        }
      }
    }

    @Test func ofTwoWorkersWithOneNameTheOlderStops() throws {
      try Deployment.with { deployment in
        try deployment.startAll()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let older = try #require(deployment.workers["d0"])
          try deployment.start("d0")
          #expect(older.wait(timeout: .seconds(20)) == .exited(70))
          #expect(deployment.standardError(of: "d0").contains("another worker runs as this device"))
          try #require(try client.answer(try deployment.digits[0], until: isFull) != nil)
          #expect(deployment.workers["d0"]?.exitStatus == nil)
        }
      }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aStoppedWorkerSaysGoodbye(_ signal: Int32) throws {
      try Deployment.with { deployment in
        try deployment.startAll()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          _ = try client.answer(try deployment.digits[0])
          let leaver = try #require(deployment.workers["d3"])
          leaver.signal(signal)
          #expect(leaver.wait(timeout: .seconds(20)) == .exited(0))
          let watcher = try Watcher(deployment.broker)
          defer { watcher.client.close() }
          try watcher.client.subscribe("martlet/1/default/presence/d3", quality: .atLeastOnce)
          try watcher.client.waitUntilReady(timeout: .seconds(10))
          let retained = try #require(watcher.wait { $0.first { $0.retain } })
          let presence = try Presence(payload: retained.payload, source: retained.topic)
          #expect(presence.state == .offline)
          let input = try deployment.digits[1]
          let answer = try #require(try client.answer(input) { !$0.awaited[3] })
          let reference = try deployment.reference()
          #expect(
            try answer.outputs == reference.run([input], alive: deployment.alive(but: ["d3"])))
        }
      }
    }
  }
}
