import Chaos
import Imaging
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing
import WireProtocol

/// The garbage publisher must not forge anything: what it sends has to be refused by everybody who
/// knows the devices' epochs, or nothing could be said about the answers.
@Suite struct GarbageTests {
  private static func plan() throws -> Plan {
    var builder = GraphBuilder(name: "tiny")
    var value = builder.addInput(name: "x", shape: [1, 6])
    for name in ["hidden", "scores"] {
      let weights = builder.add(
        constant: Tensor([6, 6], [Float](repeating: 1, count: 36)), name: name + ".weight")
      let bias = builder.add(
        constant: Tensor([6], [Float](repeating: 0, count: 6)), name: name + ".bias")
      value = try builder.add(.dense(Dense()), [value, weights, bias], name: name)
    }
    try builder.addOutput(value, name: "y")
    let graph = builder.graph
    let sharding = try Sharding(graph)
    let devices = (0..<3).map { Plan.Device(name: "d\($0)") }
    return try Plan(
      model: Plan.Model(name: "tiny", sha256: "", preprocessing: nil, labels: []), method: "lop",
      devices: devices, graph: graph, sharding: sharding,
      parts: PartitionMethod.lop.parts(graph: graph, sharding: sharding, shares: [1, 1, 1]))
  }

  @Test(arguments: 1...5 as ClosedRange<UInt64>)
  func nothingIsForged(_ seed: UInt64) throws {
    let plan = try Self.plan()
    let root = try TopicRoot(deployment: "default")
    var garbage = try Garbage(
      seed: seed, plan: plan, planID: "p", deployment: "default", clients: ["cam"])
    let validator = PartValidator(
      plan: "p",
      parts: plan.exchanges.flatMap { point in
        plan.devices.map {
          PartValidator.ExpectedPart(
            layer: point.id, device: $0.name, shape: point.shape, axis: point.axis,
            maximumExtent: point.maximumExtent)
        }
      })
    let epoch: UInt64 = 1_790_000_000_000
    var kinds: Set<String> = []
    var decoded = 0
    for _ in 0..<3000 {
      let (path, payload) = garbage.next()
      let topic = try #require(root.parse(path))
      kinds.insert(String(path.split(separator: "/")[3]))
      switch topic {
      case .activation:
        payload.withUnsafeBytes { bytes in
          guard let message = try? TensorMessage(decoding: bytes) else { return }
          decoded += 1
          if case .success = validator.check(
            message.header, on: topic, knownEpoch: { _ in epoch })
          {
            Issue.record("seed \(seed): \(message.header)")
          }
        }
      case .input(let client, _):
        payload.withUnsafeBytes { bytes in
          guard let header = try? TensorMessage(decoding: bytes).header else { return }
          decoded += 1
          #expect(header.plan != "p" || client != header.device)
        }
      case .presence:
        if let presence = try? Presence(payload: payload, source: path) {
          #expect(presence.epoch < epoch)
        }
      case .heartbeat:
        if let beat = try? Heartbeat(payload: payload, source: path) { #expect(beat.epoch < epoch) }
      default: break
      }
    }
    #expect(kinds == ["act", "input", "presence", "heartbeat", "desc"])
    #expect(decoded > 300, "messages that are nearly right")
  }

  @Test func theSeedDecides() throws {
    let plan = try Self.plan()
    func first(_ seed: UInt64) throws -> [[UInt8]] {
      var garbage = try Garbage(
        seed: seed, plan: plan, planID: "p", deployment: "default", clients: [])
      return (0..<50).map { _ in garbage.next().payload }
    }
    #expect(try first(1) == first(1))
    #expect(try first(1) != first(2))
  }
}
