import Engine
import Foundations
import Glibc
import JSONCoding
import MQTT
import Plan
import Processes
import Resilience
import Runtime
import TensorFiles
import Tensors
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// What happens to answers that are not good enough, with workers that are killed.
  @Suite(.serialized) struct Policies {
    /// 90 of 100 with all four devices, 80 without one of them, 10 without two.
    private func study(_ deployment: Deployment) throws -> FailureTable {
      var rows = [([Int](), 90)]
      for first in 0..<4 { rows.append(([first], 80)) }
      for first in 0..<4 { for second in first + 1..<4 { rows.append(([first, second], 10)) } }
      return try FailureTable(
        plan: deployment.plan.id, method: "interleaved", devices: deployment.names, images: 100,
        imagesDigest: "00", classes: 10, fill: .zero,
        rows: rows.map {
          .init(failed: $0, correct: $1, correctTop5: 95, confidence: 0.5, lostNeurons: $0.count)
        })
    }

    private func kill(_ devices: String..., in deployment: Deployment) throws {
      for device in devices {
        let worker = try #require(deployment.workers[device])
        worker.signal(SIGKILL)
        try #require(worker.wait(timeout: .seconds(10)) != nil)
      }
    }

    /// Waits until the client counts on these devices only.
    private func wait(
      _ client: InferenceClient, until condition: (InferenceClient) -> Bool
    ) throws {
      let end = MonotonicTime.now() + .seconds(20)
      while !condition(client) {
        try #require(MonotonicTime.now() < end, "the client never noticed")
        _ = try client.next(until: .now() + .milliseconds(20))
      }
    }

    private func areLost(_ devices: String...) -> (InferenceClient) -> Bool {
      { client in !client.devices.contains { devices.contains($0.device) && $0.isAlive } }
    }

    @Test func whatIsBelowTheMinimumIsRefusedWithTheNamesOfTheMissing() throws {
      try Deployment.with { deployment in
        try deployment.startAll(["--deadline", "300ms"])
        let study = try study(deployment)
        try deployment.withClient {
          $0.deadline = .fixed(.milliseconds(300))
          $0.study = study
          $0.policy = AnswerPolicy(minimumExpected: 0.5)
        } _: { client in
          let watcher = try Watcher(deployment.broker)
          defer { watcher.client.close() }
          try watcher.client.subscribe("martlet/1/default/result/\(client.id)")
          try watcher.client.waitUntilReady(timeout: .seconds(10))
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          let whole = try client.answer(try deployment.digits[0])
          #expect(whole.refusal == nil && whole.caution == nil)
          try kill("d1", in: deployment)
          try wait(client, until: areLost("d1"))
          let mild = try client.answer(try deployment.digits[1])
          #expect(mild.refusal == nil)
          #expect(mild.caution?.contains("UNRELIABLE without d1 lost: 80.0 %") == true)
          try kill("d2", in: deployment)
          try wait(client, until: areLost("d1", "d2"))
          let bad = try client.answer(try deployment.digits[2])
          let refusal = try #require(bad.refusal)
          #expect(refusal.contains("d1 lost") && refusal.contains("d2 lost"), "\(refusal)")
          #expect(refusal.contains("10.0 %") && refusal.contains("50.0 %"), "\(refusal)")
          try deployment.start("d1", ["--deadline", "300ms"])
          try wait(client) { $0.devices.count(where: \.isAlive) == 3 }
          let back = try client.answer(try deployment.digits[3]) {
            !$0.fills.contains { $0.device == "d1" }
          }
          #expect(back?.refusal == nil && back?.expectedAccuracy == 0.8)
        }
      }
    }

    @Test func aFrameIsAskedForAgainWhenDevicesAreBackAndAnsweredOnce() throws {
      try Deployment.with { deployment in
        try deployment.startAll(["--deadline", "300ms"])
        let reference = try deployment.reference()
        try deployment.withClient {
          $0.deadline = .fixed(.milliseconds(300))
          $0.policy = AnswerPolicy(retries: true)
          $0.patience = .seconds(60)
        } _: { client in
          let watcher = try Watcher(deployment.broker)
          defer { watcher.client.close() }
          try watcher.client.subscribe("martlet/1/default/result/\(client.id)")
          try watcher.client.waitUntilReady(timeout: .seconds(10))
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          try kill("d1", "d3", in: deployment)
          try wait(client, until: areLost("d1", "d3"))
          var inputs: [Int: Tensor] = [:]
          for index in 0..<3 {
            let input = try deployment.digits[index]
            inputs[try client.submit(input)] = input
          }
          // The degraded answers come and are kept back, also when one of two is there again.
          #expect(try client.next(until: .now() + .seconds(1)) == nil)
          #expect(client.framesInFlight == 3)
          try deployment.start("d1", ["--deadline", "300ms"])
          try wait(client) { $0.devices.count(where: \.isAlive) == 3 }
          #expect(client.framesInFlight == 3)
          try deployment.start("d3", ["--deadline", "300ms"])
          var tickets: Set<Int> = []
          for _ in 0..<3 {
            let answer = try client.next()
            #expect(tickets.insert(answer.ticket).inserted)
            #expect(answer.attempts > 1 && !answer.isDegraded)
            let input = try #require(inputs[answer.ticket])
            #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
          }
          #expect(client.framesInFlight == 0)
          // One more, so that results which should not be there would have come before it.
          let last = try client.answer(try deployment.digits[0])
          _ = watcher.wait { messages in
            messages.first {
              (try? FrameResult(payload: $0.payload, source: $0.topic))?.frame == last.frame
            }
          }
          #expect(watcher.messages.count == 4, "each frame has one result")
        }
      }
    }

    @Test func patienceEndsRetriesWithTheAnswerThatThereIs() throws {
      try Deployment.with { deployment in
        try deployment.startAll(["--deadline", "300ms"])
        let study = try study(deployment)
        try deployment.withClient {
          $0.deadline = .fixed(.milliseconds(300))
          $0.study = study
          $0.policy = AnswerPolicy(minimumExpected: 0.5, retries: true)
          $0.patience = .seconds(2)
        } _: { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          try kill("d0", "d1", in: deployment)
          try wait(client, until: areLost("d0", "d1"))
          let answer = try client.answer(try deployment.digits[0])
          #expect(answer.refusal != nil && answer.latency >= .seconds(2))
          #expect(client.framesInFlight == 0)
          // Nobody at all is left: the frame still ends with what it had.
          let ticket = try client.submit(try deployment.digits[1])
          _ = try client.next(until: .now() + .milliseconds(500))
          try kill("d2", "d3", in: deployment)
          var last: Answer?
          let error = failure { last = try client.next() }
          #expect(last?.ticket == ticket || error?.code == .unreachable)
          #expect(client.framesInFlight == 0)
        }
      }
    }

    @Test func aGatewayRefusesWithAStatusAndRetriesWithinTheDeadline() throws {
      try Deployment.with { deployment in
        try FileSystem.write(
          try study(deployment).encoded(), to: deployment.plan.path + "/" + PlanFolder.studyName)
        try deployment.startAll(["--deadline", "300ms"])
        _ = try deployment.startGateway("g0", ["--min-expected", "0.5", "--deadline", "300ms"])
        _ = try deployment.startGateway(
          "g1",
          [
            "--min-expected", "0.5", "--deadline", "300ms", "--retry", "--group", "patient",
            "--patience", "60s",
          ])
        let png = try deployment.digits.file(0)
        func infer(_ target: String, seconds: Int) -> RPCClient.Call {
          var call = RPCClient.Call(RPCMethod("inference", "infer"), target: target)
          call.body = .bytes(png, type: ContentType(of: png).rawValue)
          call.deadline = .seconds(seconds)
          return call
        }
        try deployment.withCaller { caller in
          func answers(_ target: String) throws {
            let end = MonotonicTime.now() + .seconds(20)
            while (try? caller.result(of: infer(target, seconds: 10)))?["degraded"] != .array([]) {
              try #require(MonotonicTime.now() < end, "\(target) never answered")
            }
          }
          try answers("gateway")
          try answers("patient")
          try kill("d1", "d2", in: deployment)
          var error: MartletError?
          let end = MonotonicTime.now() + .seconds(20)
          while error == nil {
            try #require(MonotonicTime.now() < end)
            error = failure { _ = try caller.result(of: infer("gateway", seconds: 10)) }
          }
          let text = "\(try #require(error))"
          #expect(
            text.contains("UNAVAILABLE") && text.contains("d1") && text.contains("d2"), "\(text)")
          let id = try caller.start(infer("patient", seconds: 60))
          #expect(try caller.next(until: .now() + .seconds(1)) == nil)
          try deployment.start("d1", ["--deadline", "300ms"])
          try deployment.start("d2", ["--deadline", "300ms"])
          var items = 0
          while true {
            switch try caller.next(until: .now() + .seconds(30)) {
            case .item?:
              items += 1
              continue
            case .ended(let ended, let status)?:
              #expect(ended == id && status.code == .ok && items == 1, "\(status)")
            case nil: Issue.record("the request was lost")
            }
            break
          }
        }
      }
    }
  }
}
