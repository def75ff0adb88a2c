import Engine
import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

@Suite("Sharding propagation")
struct ShardingTests {
  /// conv → relu → pool → conv → dense, with the layers' names.
  private func chain() throws -> Graph {
    var builder = GraphBuilder(name: "chain")
    let x = builder.addInput(name: "x", shape: [1, 2, 8, 8])
    func weights(_ shape: Shape, _ name: String) -> ValueID {
      builder.add(constant: Tensor(shape, [Float](repeating: 0.1, count: shape.count)), name: name)
    }
    let three = Convolution(kernel: Pair(3, 3), padding: Padding(1, 1, 1, 1))
    let first = try builder.add(
      .convolution(three), [x, weights([6, 2, 3, 3], "w1")], name: "/features/Conv.1")
    let active = try builder.add(.activation(.relu), [first], name: "relu")
    let pooled = try builder.add(
      .pooling(Pooling(kind: .maximum, kernel: Pair(2, 2), strides: Pair(2, 2))), [active],
      name: "pool")
    let second = try builder.add(
      .convolution(three), [pooled, weights([4, 6, 3, 3], "w2")], name: "second")
    let flat = try builder.add(.reshape, [second], name: "flat", shape: [1, 64])
    let scores = try builder.add(.dense(Dense()), [flat, weights([5, 64], "w3")], name: "dense")
    try builder.addOutput(scores, name: "scores")
    return builder.graph
  }

  @Test("an exchange stands after the pooling, and before the flattening")
  func exchanges() throws {
    let graph = try chain()
    let sharding = try Sharding(graph)
    let producers = graph.producers()
    let names = sharding.exchanges.map { graph.nodes[producers[$0]!].name }
    #expect(names == ["pool", "second", "dense"])
    #expect(sharding.exchangeStages == [0, 1, 2])
    #expect(sharding.layers.map(\.neurons) == [6, 4, 5])
    #expect(Set(sharding.layers.map(\.id)).count == 3)
    for layer in sharding.layers { #expect(Identifier.isValid(layer.id)) }
  }

  @Test("contiguous parts, in order, by shares")
  func parts() throws {
    let plan = try plan(try chain(), shares: [2, 1, 1], method: .lop)
    #expect(plan.parts[0] == [[0, 1, 2], [3, 4], [5]])
    #expect(plan.exchanges[0].shape == [1, 6, 4, 4])
    let gathering = try #require(plan.program(device: 0).gatherings.first)
    #expect(gathering.parts[1].shape == [1, 2, 4, 4])
    #expect(gathering.parts[1].runs == [.init(source: 0, target: 3, count: 2)])
  }

  @Test("a worker does not gather the classifier, and publishes its part of everything")
  func publications() throws {
    let plan = try plan(try chain(), shares: [1, 1], method: .lop)
    let program = plan.program(device: 0)
    #expect(program.publications.map(\.exchange) == [0, 1, 2])
    #expect(program.gatherings.map(\.exchange) == [0, 1])
    let client = plan.program(device: nil, attendance: .everyone(2))
    #expect(client.gatherings.map(\.exchange) == [2])
    #expect(client.constants.isEmpty)
  }

  @Test("a device without neurons of a layer neither publishes nor holds weights of it")
  func emptyParts() throws {
    let plan = try plan(try chain(), shares: [1, 1, 1, 1, 1, 1], method: .lop)
    let program = plan.program(device: 5)
    #expect(plan.parts[1][5].isEmpty)
    #expect(!program.publications.map(\.exchange).contains(1))
    #expect(plan.cost(of: 5).neurons == 1)
  }

  @Test("costs add up over devices")
  func costs() throws {
    let graph = try chain()
    let alone = try plan(graph, shares: [1], method: .lop).cost(of: 0)
    let plan = try plan(graph, shares: [1, 1, 1], method: .lop)
    let costs = (0..<3).map { plan.cost(of: $0) }
    #expect(costs.reduce(0) { $0 + $1.multiplyAdds } == alone.multiplyAdds)
    #expect(costs.reduce(0) { $0 + $1.weightBytes } == alone.weightBytes)
    #expect(alone.bytesSent == 4 * (6 * 16 + 4 * 16 + 5))
    #expect(alone.bytesReceived == 4 * 128)
  }

  @Test("a resized value stays divided by channels, unless those are resized")
  func resizing() throws {
    for (axis, isLocal) in [(2, true), (1, false)] {
      var builder = GraphBuilder(name: "resized")
      let x = builder.addInput(name: "x", shape: [1, 2, 6, 6])
      func weights(_ shape: Shape, _ name: String) -> ValueID {
        let values = (0..<shape.count).map { Float($0 % 7) / 7 - 0.4 }
        return builder.add(constant: Tensor(shape, values), name: name)
      }
      let first = try builder.add(
        .convolution(Convolution(kernel: Pair(3, 3))), [x, weights([6, 2, 3, 3], "w1")],
        name: "first")
      let extent = builder.graph[first].shape[axis] * 2
      let resized = try builder.add(
        .resize(
          Resize(filter: .linear, axes: [Resize.Axis(axis: axis, extent: extent, scale: 2)])),
        [first], name: "resize")
      let channels = builder.graph[resized].shape[1]
      let scores = try builder.add(
        .convolution(Convolution(kernel: Pair(1, 1))),
        [resized, weights([3, channels, 1, 1], "w2")],
        name: "second")
      try builder.addOutput(scores, name: "scores")
      let graph = builder.graph
      let exchanged = try Sharding(graph).exchanges
      #expect(exchanged.first == (isLocal ? resized : first))
      let input = Tensor([1, 2, 6, 6], (0..<72).map { Float($0 % 11) / 11 })
      let cluster = try cluster(graph, shares: [1, 2, 1], method: .interleaved)
      let output = try cluster.run([input], alive: [true, true, true])
      #expect(relativeError(output[0].floats ?? [], try whole(graph, input)) < 1e-5)
    }
  }

  @Test("a model without weighted layers is refused")
  func nothingToSplit() throws {
    var builder = GraphBuilder(name: "empty")
    let x = builder.addInput(name: "x", shape: [1, 4])
    let y = try builder.add(.activation(.relu), [x], name: "relu")
    try builder.addOutput(y, name: "y")
    #expect(throws: MartletError.self) { try Sharding(builder.graph) }
  }

  @Test("costs count bytes as they travel, each scale included")
  func costsOnTheWire() throws {
    let graph = try chain()
    let alone = try plan(graph, shares: [1], method: .lop).travelling(as: [.i8, .f16, .f32])
    let scale = PackedElements.scaleBytes
    #expect(alone.cost(of: 0).bytesSent == 6 * 16 + scale + 2 * 4 * 16 + 4 * 5)
    #expect(alone.cost(of: 0).bytesReceived == 4 * 128)
    #expect(alone.cost(of: 0, wire: .float32).bytesSent == 4 * (6 * 16 + 4 * 16 + 5))
    let plan = try plan(graph, shares: [1, 1, 1], method: .lop)
    let bytes = try plan.travelling(as: [.i8, .i8, .i8])
    for device in 0..<3 {
      let program = plan.program(device: device)
      let (before, after) = (plan.cost(of: device), bytes.cost(of: device))
      #expect(after.bytesSent == before.bytesSent / 4 + scale * program.publications.count)
      let parts = program.gatherings.flatMap(\.parts).count { $0.device != device }
      #expect(parts > 0)
      #expect(
        after.bytesReceived == 4 * 128 + (before.bytesReceived - 4 * 128) / 4 + scale * parts)
    }
  }
}
