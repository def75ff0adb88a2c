import Engine
import Foundations
import Glibc
import MQTT
import Plan
import Planning
import Processes
import Resilience
import Runtime
import TensorFiles
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// Workers that leave, are told to leave at once, remember their epochs, or fall silent, with the
  /// default deadline.
  @Suite(.serialized) struct Membership {
    private func adaptive(_ configuration: inout ClientConfiguration) {
      configuration.deadline = .standard
    }

    private func isFull(_ answer: Answer) -> Bool {
      !answer.isDegraded && !answer.awaited.contains(false)
    }

    /// The retained presence of a device, once it satisfies `condition`.
    private func presence(
      of device: String, _ watcher: Watcher, until condition: (Presence) -> Bool
    ) -> Presence? {
      watcher.wait { messages in
        messages.lazy.filter { $0.topic.hasSuffix("presence/\(device)") }
          .compactMap { try? Presence(payload: $0.payload, source: $0.topic) }
          .first(where: condition)
      }
    }

    /// Frames that count on a leaving worker are finished: nobody waits for it in vain.
    @Test func aLeavingWorkerCostsNobodyADeadline() throws {
      try Deployment.with { deployment in
        try deployment.startAll(["--deadline", "every:5s"])
        try deployment.withClient {
          $0.deadline = .every(.seconds(5))
        } _: { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<10 { _ = try client.answer(try deployment.digits[index]) }
          try #require(deployment.workers["d1"]).signal(SIGTERM)
          var slowest = Duration.zero
          var reasons: Set<String> = []
          let gone = try client.answer(try deployment.digits[0]) { answer in
            slowest = max(slowest, answer.latency)
            reasons.formUnion(answer.fills.map(\.reason))
            return !answer.awaited[1]
          }
          try #require(gone != nil)
          for index in 0..<20 {
            let answer = try client.answer(try deployment.digits[index])
            slowest = max(slowest, answer.latency)
            reasons.formUnion(answer.fills.map(\.reason))
          }
          #expect(reasons == ["lost"])
          #expect(slowest < .seconds(4), "\(slowest)")
          #expect(deployment.workers["d1"]?.wait(timeout: .seconds(20)) == .exited(0))
        }
      }
    }

    @Test func aSecondSignalEndsAtOnce() throws {
      try Deployment.with(devices: 2) { deployment in
        try deployment.startAll(["--deadline", "every:600s"])
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        try watcher.client.subscribe("martlet/1/default/presence/d0", quality: .atLeastOnce)
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          _ = try client.answer(try deployment.digits[0])
          let worker = try #require(deployment.workers["d0"])
          // It waits for a part that does not come, and would finish that frame first.
          deployment.workers["d1"]?.signal(SIGSTOP)
          _ = try client.submit(try deployment.digits[1])
          worker.signal(SIGTERM)
          let draining = presence(of: "d0", watcher) { $0.state == .draining }
          try #require(draining != nil)
          #expect(worker.exitStatus == nil)
          worker.signal(SIGTERM)
          #expect(worker.wait(timeout: .seconds(5)) == .exited(143))
          deployment.workers["d1"]?.signal(SIGCONT)
        }
      }
    }

    @Test func theEpochGrowsThoughTheClockDoesNot() throws {
      try Deployment.with(devices: 2) { deployment in
        let state = deployment.folder + "/state"
        try FileSystem.createFolder(state)
        // Years in the future, as after a clock that was wrong.
        let saved = UInt64(time(nil)) * 1000 + 100_000_000_000
        try FileSystem.write(Array("\(saved)\n".utf8), to: state + "/d0.epoch")
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        try watcher.client.subscribe("martlet/1/default/presence/d0", quality: .atLeastOnce)
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        for run in 1...2 as ClosedRange<UInt64> {
          let worker = try deployment.start("d0", ["--state", state])
          let epoch = saved + run
          let ready = presence(of: "d0", watcher) { $0.state == .ready && $0.epoch == epoch }
          #expect(ready != nil)
          worker.signal(SIGTERM)
          #expect(worker.wait(timeout: .seconds(20)) == .exited(0))
        }
        #expect(try FileSystem.readText(state + "/d0.epoch") == "\(saved + 2)\n")
        // What all others would refuse is forgotten.
        try FileSystem.write(Array("\(Epoch.maximum)\n".utf8), to: state + "/d0.epoch")
        try deployment.start("d0", ["--state", state, "--clock-offset=200000000"])
        #expect(
          presence(of: "d0", watcher) { $0.state == .ready && $0.epoch > saved + 2 } != nil)
      }
    }

    @Test func withTheDefaultDeadlineAFrozenWorkerIsLeftOutAndReturns() throws {
      try Deployment.with { deployment in
        deployment.workerOptions = ["--heartbeat", "200ms"]
        try deployment.startAll()
        try deployment.withClient(adaptive) { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<50 { _ = try client.answer(try deployment.digits[index]) }
          deployment.workers["d2"]?.signal(SIGSTOP)
          let noticed = try client.answer(try deployment.digits[0]) { !$0.awaited[2] }
          try #require(noticed != nil)
          for index in 0..<100 { _ = try client.answer(try deployment.digits[index]) }
          deployment.workers["d2"]?.signal(SIGCONT)
          try #require(try client.answer(try deployment.digits[0], until: isFull) != nil)
        }
      }
    }

    @Test func answersSayWhatToExpectOfTheDevicesThatAreThere() throws {
      try Deployment.with(devices: 3) { deployment in
        try deployment.startAll()
        let study = try FailureTable(
          plan: deployment.plan.id, method: "test", devices: deployment.names, images: 100,
          imagesDigest: "0", classes: 10, fill: .zero,
          rows: [
            .init(failed: [], correct: 90, correctTop5: 99, confidence: 0.9, lostNeurons: 0),
            .init(failed: [1], correct: 55, correctTop5: 80, confidence: 0.5, lostNeurons: 9),
          ])
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        try deployment.withClient {
          $0.study = study
        } _: { client in
          try watcher.client.subscribe("martlet/1/default/result/\(client.id)")
          try watcher.client.waitUntilReady(timeout: .seconds(10))
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let all = try client.answer(try deployment.digits[0])
          #expect(all.expectedAccuracy == 0.9 && all.present == ["d0", "d1", "d2"])
          deployment.workers["d1"]?.signal(SIGKILL)
          let lost = try #require(try client.answer(try deployment.digits[0]) { !$0.awaited[1] })
          #expect(lost.expectedAccuracy == 0.55 && lost.present == ["d0", "d2"])
          let result = watcher.wait { messages in
            messages.lazy.compactMap { try? FrameResult(payload: $0.payload, source: $0.topic) }
              .first { $0.frame == lost.frame }
          }
          let published = try #require(result)
          #expect(published.expectedAccuracy == 0.55 && published.present == ["d0", "d2"])
          #expect(published.top5.count == 5 && published.label == published.top5[0].label)
          #expect(published.filledNeurons == lost.filledNeurons && lost.filledNeurons > 0)
          #expect(Set(published.degraded.map(\.device)) == ["d1"])
        }
      }
    }

    /// What others hold is never missing, in whatever moment a device dies.
    @Test(arguments: [SIGKILL, SIGSTOP])
    func withActiveReplicasNoFrameIsHurt(_ signal: Int32) throws {
      try Deployment.with(
        placing: { try Placing.coded($0, shares: [1, 1, 1, 1], tolerating: 1) }
      ) { deployment in
        deployment.workerOptions = ["--heartbeat", "200ms"]
        try deployment.startAll()
        let reference = try deployment.reference()
        try deployment.withClient {
          $0.deadline = .standard
          $0.replicas = .active
        } _: { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<50 { _ = try client.answer(try deployment.digits[index]) }
          let input = try deployment.digits[3]
          let whole = try reference.run([input], alive: deployment.alive())
          let rest = try reference.run([input], alive: deployment.alive(but: ["d2"]))
          #expect(try client.answer(input).outputs == whole)
          for _ in 0..<3 { _ = try client.submit(input) }
          deployment.workers["d2"]?.signal(signal)
          for _ in 0..<3 { #expect(try !client.next().isDegraded) }
          let noticed = try client.answer(input) { answer in
            #expect(!answer.isDegraded)
            return !answer.awaited[2]
          }
          try #require(noticed != nil)
          for _ in 0..<10 {
            let answer = try client.answer(input)
            #expect(!answer.isDegraded)
            #expect(answer.outputs == rest)
          }
          deployment.workers["d2"]?.signal(SIGCONT)
        }
      }
    }

    /// With as many frames in flight as there may be, nothing is dropped and nothing lost.
    @Test func aCrowdOfFramesIsAnsweredInFull() throws {
      try Deployment.with { deployment in
        try deployment.startAll()
        let reference = try deployment.reference()
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          var tickets: [Int: Int] = [:]
          for index in 0..<200 {
            while client.framesInFlight >= 64 {
              let answer = try client.next()
              let number = try #require(tickets[answer.ticket])
              tickets[answer.ticket] = nil
              #expect(isFull(answer))
              #expect(
                try answer.outputs
                  == reference.run([try deployment.digits[number]], alive: deployment.alive()))
            }
            tickets[try client.submit(try deployment.digits[index])] = index
          }
          while client.framesInFlight > 0 { #expect(isFull(try client.next())) }
        }
      }
    }
  }
}
