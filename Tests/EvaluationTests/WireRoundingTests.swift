import Evaluation
import Foundations
import ModelGraph
import Plan
import Tensors
import TestSupport
import Testing

@Suite("Rounding on the wire")
struct WireRoundingTests {
  /// Every point's channels dealt to three devices.
  private func rounding(_ subject: Subject, _ model: MaskedModel, _ type: ElementType)
    -> WireRounding
  {
    WireRounding(
      subject.points.indices.map { point in
        .init(
          type: type,
          parts: (0..<3).map { device in
            (0..<model.channels(of: point)).filter { $0 % 3 == device }
          })
      })
  }

  private func scores(
    _ model: MaskedModel, _ masks: [Mask], _ input: Tensor, _ wires: [WireRounding]
  ) throws -> (values: [[Float]], leaves: Int) {
    let trie = model.arrange(masks, wires: wires)
    var result = [[Float]](repeating: [], count: masks.count)
    try MaskedExecution(model, wires: wires).run([input.floats ?? []], masks: trie) {
      leaf, values in
      for mask in trie.leaves[leaf] { result[mask] = Array(values) }
    }
    return (result, trie.leaves.count)
  }

  @Test("sharing prefixes changes no bit", arguments: 0..<12)
  func sharing(seed: Int) throws {
    let subject = try Subject(try RandomGraph.network(seed: UInt64(seed)))
    var generator = SeededGenerator(UInt64(seed) + 40)
    let model = try subject.model()
    let input = RandomGraph.input(of: subject.graph, seed: UInt64(seed))
    let bytes = rounding(subject, model, .int8)
    // Bytes at the last point alone: all before it is what it was.
    var late = bytes
    for point in late.points.indices.dropLast() { late.points[point].type = .float32 }
    let wires = [
      WireRounding.none, bytes, rounding(subject, model, .float16), WireRounding(late.points),
    ]
    var masks = wires.indices.map { Mask(lost: subject.points.map { _ in [] }, wire: $0) }
    for wire in wires.indices {
      var mask = subject.mask(&generator)
      mask.wire = wire
      masks.append(mask)
    }
    let together = try scores(model, masks, input, wires).values
    for (mask, result) in zip(masks, together) {
      let alone = try scores(model, [mask], input, wires).values[0]
      #expect(result.map(\.bitPattern) == alone.map(\.bitPattern), "seed \(seed), \(mask.wire)")
    }
    let exact = try whole(subject.graph, input)
    #expect(relativeError(together[0], exact) < 1e-5)
    #expect(together[1] != together[0] && relativeError(together[2], exact) < 2e-2)
    #expect(relativeError(together[3], exact) < 0.2, "seed \(seed)")
  }

  @Test("roundings that do the same are computed once")
  func equal() throws {
    let subject = try Subject(try RandomGraph.network(seed: 2))
    let model = try subject.model()
    let input = RandomGraph.input(of: subject.graph, seed: 2)
    let bytes = rounding(subject, model, .int8)
    let plain = rounding(subject, model, .float32)
    #expect(plain == .none && plain.text == nil)
    #expect(bytes.text == "i8 (\(subject.points.count))")
    let masks = (0..<3).map { Mask(lost: subject.points.map { _ in [] }, wire: $0) }
    #expect(try scores(model, masks, input, [.none, bytes, bytes]).leaves == 2)
  }

  /// One network whose only point is its input, so that the rounded value can be looked at: each part
  /// of each entry of the batch is rounded by itself, in the arithmetic of the messages.
  @Test("each frame's part has a scale of its own", arguments: [ElementType.int8, .float16])
  func parts(_ type: ElementType) throws {
    var builder = GraphBuilder(name: "copy")
    let shape: Shape = [2, 5, 3, 2]
    let input = builder.addInput(name: "x", shape: shape)
    let value = try builder.add(.unary(.negate), [input], name: "negated")
    let output = try builder.add(.unary(.negate), [value], name: "again")
    try builder.addOutput(output, name: "y")
    let model = try MaskedModel(builder.graph, points: [ChannelPoint(value: value, axis: 1)])
    var generator = SeededGenerator(11)
    var values = (0..<shape.count).map { _ in Float.random(in: -1...1, using: &generator) }
    for index in 30..<60 { values[index] *= 1000 }
    let parts = [[0, 3], [1], []]
    let wire = WireRounding([.init(type: type, parts: parts)])
    let mask = Mask(lost: [[]], wire: 1)
    var result: [Float] = []
    try MaskedExecution(model, wires: [.none, wire]).run(
      [values], masks: model.arrange([mask], wires: [.none, wire])
    ) { _, scores in result = Array(scores) }
    var expected = values
    for entry in 0..<2 {
      for part in parts {
        let indices = part.flatMap { channel in
          (0..<6).map { entry * 30 + channel * 6 + $0 }
        }
        var elements = indices.map { -values[$0] }
        elements.withUnsafeMutableBufferPointer { PackedElements.roundTrip($0, as: type) }
        for (index, element) in zip(indices, elements) { expected[index] = -element }
      }
    }
    #expect(result.map(\.bitPattern) == expected.map(\.bitPattern))
    #expect(result != values)
  }
}
