import Engine
import MQTT
import ModelGraph
import Plan
import Runtime
import Tensors
import TestSupport
import Testing
import WireProtocol

extension DistributedTests {
  /// Messages that nobody should send, while frames run.
  @Suite(.serialized) struct HostileMessages {
    private let root = "martlet/1/default/"

    @Test func answersAreUnaffectedAndEveryMessageIsCounted() throws {
      try Deployment.with { deployment in
        try deployment.startAll()
        let reference = try deployment.reference()
        let watcher = try Watcher(deployment.broker)
        defer { watcher.client.close() }
        try watcher.client.subscribe(root + "metric/d3/frame", quality: .atLeastOnce)
        try watcher.client.waitUntilReady(timeout: .seconds(10))
        let rounds = 30
        let bad = try hostileMessages(deployment.plan)
        try deployment.withClient { client in
          try #require(try client.waitForDevices(timeout: .seconds(20)))
          for index in 0..<rounds {
            for message in bad { try watcher.client.publish(message.message) }
            let input = try deployment.digits[index]
            let answer = try client.answer(input)
            #expect(!answer.isDegraded)
            #expect(try answer.outputs == reference.run([input], alive: deployment.alive()))
          }
          try watcher.client.flush(timeout: .seconds(10))
          #expect(client.devices.allSatisfy { $0.isAlive })
        }
        let expected = Dictionary(
          bad.compactMap(\.reason).map { ($0.rawValue, UInt64(rounds)) }, uniquingKeysWith: +)
        // The last frame may be counted an interval after the messages that came before it.
        let isComplete = watcher.wait { messages in
          let total = totals(messages)
          return total.drops == expected && total.frames == UInt64(rounds) ? true : nil
        }
        let total = totals(watcher.messages)
        #expect(isComplete == true, "expected \(expected), got \(total.drops)")
        #expect(total.frames == UInt64(rounds))
        try checkLog(deployment.standardError(of: "d3"), reasons: Set(expected.keys))
      }
    }

    /// The sums over a device's intervals.
    private func totals(
      _ messages: [MQTTMessage]
    ) -> (frames: UInt64, drops: [String: UInt64]) {
      messages.reduce(into: (0, [:])) { total, message in
        guard let metric = try? FrameMetric(payload: message.payload, source: message.topic)
        else { return }
        total.frames += metric.frames
        total.drops.merge(metric.drops, uniquingKeysWith: +)
      }
    }

    private struct Bad {
      var message: MQTTMessage
      /// How `d3` counts it; nil where it is ignored without a word.
      var reason: RejectReason?
    }

    private func hostileMessages(_ folder: PlanFolder) throws -> [Bad] {
      let plan = folder.plan
      let exchange = plan.exchanges[0]
      let part = root + "act/\(exchange.id)/d0"
      let inputShape = plan.graph[plan.graph.inputs[0]].shape
      func tensor(
        plan: String, layer: String = exchange.id, device: String = "d0", shape: Shape,
        epoch: UInt64, frame: UInt64 = 1, note: String = ""
      ) throws -> [UInt8] {
        try tensorMessage(
          TensorHeader(
            frame: frame, stage: exchange.stage ?? 0, epoch: epoch, plan: plan, client: "x",
            layer: layer, device: device, shape: shape), note: note)
      }
      let late = Epoch.maximum
      let good = exchange.shape.replacing(
        axis: exchange.axis, with: plan.parts[exchange.layer ?? 0][0].count)
      var bad: [Bad] = []
      func add(_ topic: String, _ payload: [UInt8], _ reason: RejectReason?) {
        bad.append(Bad(message: MQTTMessage(topic: topic, payload: payload), reason: reason))
      }
      add(part, Array("not a tensor".utf8), .garbage)
      add(part, [], .garbage)
      add(part, [UInt8](repeating: 0xff, count: 4096), .garbage)
      add(part, Array(try tensor(plan: folder.id, shape: good, epoch: late).dropLast()), .garbage)
      add(part, try tensor(plan: folder.id, shape: [1, 3, 2], epoch: late), .wrongShape)
      add(part, try tensor(plan: "another", shape: good, epoch: late), .wrongPlan)
      add(part, try tensor(plan: folder.id, shape: good, epoch: 5), .staleEpoch)
      add(
        part, try tensor(plan: folder.id, device: "d1", shape: good, epoch: late), .topicDisagrees)
      let input = root + "input/x"
      add(input, [1, 2, 3], .garbage)
      func inputTensor(_ plan: String, _ shape: Shape, _ note: String) throws -> [UInt8] {
        try tensor(
          plan: plan, layer: "", device: "x", shape: shape, epoch: late, frame: 9, note: note)
      }
      add(input, try inputTensor(folder.id, [1, 1, 2, 2], "aaaa"), .wrongShape)
      add(input, try inputTensor("another", inputShape, "aaaa"), .wrongPlan)
      add(input, try inputTensor(folder.id, inputShape, "zzzz"), .garbage)
      add(input, try inputTensor(folder.id, inputShape, "aa"), .garbage)
      add(root + "input/y", try inputTensor(folder.id, inputShape, "aaaa"), .topicDisagrees)
      add(root + "presence/x", Array("{".utf8), .garbage)
      add(root + "presence/d0", Array("null".utf8), .garbage)
      add(root + "presence/d0", [], nil)
      let old = Presence(state: .lost, epoch: 5, heartbeatMilliseconds: 100, version: "0")
      add(root + "presence/d0", try old.payload(), nil)
      add(root + "presence/unheard-of", try old.payload(), nil)
      add(root + "heartbeat/x", Array("[[[[".utf8), .garbage)
      add(root + "heartbeat/X!", [], .unknownTopic)
      return bad
    }

    /// At most one line a second for each reason, and one for each reason that there was.
    private func checkLog(_ text: String, reasons: Set<String>) throws {
      for reason in reasons {
        let stamps = text.split(separator: "\n").filter {
          $0.contains("dropped messages") && $0.contains("reason=\(reason)")
        }.map { $0.prefix(19) }
        #expect(!stamps.isEmpty, "no line about \(reason)")
        // Two lines at least a second apart may still share a second only if rounding differs.
        for (first, second) in zip(stamps, stamps.dropFirst()) {
          #expect(first != second, "two lines about \(reason) in one second")
        }
      }
    }
  }
}

/// A tensor of zeros as one message.
func tensorMessage(_ header: TensorHeader, note: String = "") throws -> [UInt8] {
  var header = header
  header.note = note
  var encoder = try TensorEncoder(elementType: .float32, chunkBytes: 1 << 20)
  var result: [UInt8] = []
  let zeros = [Float](repeating: 0, count: header.shape.count)
  zeros.withUnsafeBufferPointer { values in encoder.encode(header, values) { result = $0 } }
  return result
}
