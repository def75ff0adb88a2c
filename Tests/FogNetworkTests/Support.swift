import FogNetwork
import Foundations
import Tensors

extension FogTopology {
  /// Small, with skips, unequal widths and two sources: a (2) and b (3) enter at two edges.
  static func small(classes: Int = 3) -> FogTopology {
    FogTopology(
      name: "small", classes: classes,
      sources: [
        Source(name: "a", first: 0, shape: [2]), Source(name: "b", first: 2, shape: [3]),
      ],
      nodes: [
        Node(name: "e1", tier: .edge, layers: [.dense(4)]),
        Node(name: "e2", tier: .edge, layers: [.dense(6)]),
        Node(name: "f1", tier: .fog, layers: [.dense(5, count: 2)]),
        Node(
          name: "c", tier: .cloud, layers: [.dense(7), .dense(classes, activation: .none)]),
      ],
      connections: [
        Connection(from: "a", to: "e1"), Connection(from: "b", to: "e2"),
        Connection(from: "e1", to: "f1"), Connection(from: "e2", to: "f1", weight: 0.5),
        Connection(from: "f1", to: "c"), Connection(from: "e1", to: "c", skip: true),
        Connection(from: "a", to: "f1", skip: true),
      ],
      settings: [
        Setting(name: "poor", survival: ["e1": 0.9, "e2": 0.8, "f1": 0.7])
      ])
  }
}

extension FogModel {
  /// Random weights.
  static func random(_ topology: FogTopology, seed: Int) throws -> FogModel {
    let design = try FogDesign(topology)
    var generator = SeededGenerator(stream: 0, of: seed)
    var weights: [String: Tensor] = [:]
    for layer in design.units.flatMap(\.layers) {
      if let name = layer.weights {
        let shape: Shape = [layer.output.count, layer.input.count]
        weights[name] = Tensor(
          shape, (0..<shape.count).map { _ in Float(generator.unit() * 2 - 1) })
      }
      if let name = layer.bias {
        weights[name] = Tensor(
          [layer.output[0]], (0..<layer.output[0]).map { _ in Float(generator.unit() - 0.5) })
      }
    }
    let classes = topology.classes
    let raw = (0..<classes).map { _ in generator.unit() + 0.1 }
    return try FogModel(
      design: design, weights: weights, frequencies: raw.map { $0 / raw.reduce(0, +) },
      labels: [],
      history: History(seed: seed, epoch: 1, epochs: 1, validationAccuracy: 0, failout: nil))
  }
}

extension FogData {
  /// Random samples and labels.
  static func random(_ count: Int, _ design: FogDesign, seed: Int) -> FogData {
    var generator = SeededGenerator(stream: 7, of: seed)
    let width = design.sampleCount
    return FogData(
      inputs: (0..<(count * width)).map { _ in Float(generator.unit() * 2 - 1) }, width: width,
      labels: (0..<count).map { _ in
        Int(generator.next() % UInt64(design.topology.classes))
      })
  }
}

/// Definitions 1 and 4 once more, sample by sample, as plainly as can be.
func reference(_ model: FogModel, sample: [Float], alive: [Bool]) -> [Double]? {
  let design = model.design
  var outputs: [String: [Double]?] = [:]
  for source in design.topology.sources {
    let count = source.shape.reduce(1, *)
    outputs[source.name] = sample[source.first..<(source.first + count)].map { Double($0) }
  }
  let order = ["e1", "e2", "f1", "c"]
  for name in order {
    let number = design.topology.nodes.firstIndex { $0.name == name } ?? 0
    let unit = design.units[design.unit(ofNode: number)]
    var sum: [Double]?
    for connection in design.topology.connections where connection.to == name {
      guard let vector = outputs[connection.from] ?? nil else { continue }
      var total = sum ?? [Double](repeating: 0, count: unit.input.count)
      for (index, value) in vector.enumerated() { total[index] += connection.weight * value }
      sum = total
    }
    guard alive[number], var value = sum else {
      outputs[name] = .some(nil)
      continue
    }
    for layer in unit.layers {
      let weights = model.weights[layer.weights ?? ""]?.floats ?? []
      let bias = model.weights[layer.bias ?? ""]?.floats ?? []
      value = bias.indices.map { row in
        let product = value.indices.reduce(Double(bias[row])) {
          $0 + value[$1] * Double(weights[row * value.count + $1])
        }
        return layer.kind.activation == .relu ? max(product, 0) : product
      }
    }
    outputs[name] = value
  }
  return outputs["c"] ?? nil
}
