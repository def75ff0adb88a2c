import FogNetwork
import FogTraining
import Foundations
import Tensors
import Testing

extension FogTopology {
  /// Small, with skips, unequal widths and two sources; as in `tools/golden/make-fog-goldens.py`.
  static let small = FogTopology(
    name: "small", classes: 3,
    sources: [
      Source(name: "a", first: 0, shape: [2]), Source(name: "b", first: 2, shape: [3]),
    ],
    nodes: [
      Node(name: "e1", tier: .edge, layers: [.dense(4)]),
      Node(name: "e2", tier: .edge, layers: [.dense(6)]),
      Node(name: "f1", tier: .fog, layers: [.dense(5, count: 2)]),
      Node(name: "c", tier: .cloud, layers: [.dense(7), .dense(3, activation: .none)]),
    ],
    connections: [
      Connection(from: "a", to: "e1"), Connection(from: "b", to: "e2"),
      Connection(from: "e1", to: "f1"), Connection(from: "e2", to: "f1", weight: 0.5),
      Connection(from: "f1", to: "c"), Connection(from: "e1", to: "c", skip: true),
      Connection(from: "a", to: "f1", skip: true),
    ],
    settings: [Setting(name: "poor", survival: ["e1": 0.9, "e2": 0.8, "f1": 0.7])])

  /// Two cameras, convolutions at the edge, a projected skip to the cloud.
  static let images = FogTopology(
    name: "images", classes: 2,
    sources: [
      Source(name: "left", first: 0, shape: [1, 8, 8]),
      Source(name: "right", first: 64, shape: [1, 8, 8]),
    ],
    nodes: [
      Node(
        name: "e1", tier: .edge, layers: [FogLayer(.convolution, width: 4, kernel: 3)]),
      Node(
        name: "e2", tier: .edge, layers: [FogLayer(.convolution, width: 6, kernel: 3)]),
      Node(
        name: "f1", tier: .fog,
        layers: [
          FogLayer(.depthwise, kernel: 3), FogLayer(.convolution, width: 8, kernel: 3, stride: 2),
        ]),
      Node(
        name: "c", tier: .cloud,
        layers: [FogLayer(.average), .dense(2, activation: .none)]),
    ],
    connections: [
      Connection(from: "left", to: "e1"), Connection(from: "right", to: "e2"),
      Connection(from: "e1", to: "f1"), Connection(from: "e2", to: "f1"),
      Connection(from: "f1", to: "c"),
      Connection(
        from: "e1", to: "c", skip: true, projection: .init(channels: 8, stride: 2)),
    ])
}

/// Samples whose class can be learned: each class has a direction, plus noise.
func learnable(_ count: Int, _ design: FogDesign, seed: Int) -> FogData {
  var directions = SeededGenerator(stream: 0, of: 99)
  let width = design.sampleCount
  let classes = design.topology.classes
  let centres = (0..<(classes * width)).map { _ in Float(directions.unit() * 2 - 1) }
  var generator = SeededGenerator(stream: 3, of: seed)
  var inputs: [Float] = []
  var labels: [Int] = []
  for _ in 0..<count {
    let label = Int(generator.next() % UInt64(classes))
    labels.append(label)
    for column in 0..<width {
      inputs.append(centres[label * width + column] + Float(generator.unit() - 0.5))
    }
  }
  return FogData(inputs: inputs, width: width, labels: labels)
}

/// A network in float64 with random weights and biases that keep most units alive.
func doubleNetwork(
  _ design: FogDesign, batch: Int, seed: Int
) throws -> TrainingNetwork<DoubleUnit> {
  var weights = InitialWeights.make(design, start: .he, seed: seed)
  var generator = SeededGenerator(stream: 11, of: seed)
  for (name, tensor) in weights.sorted(by: { $0.key < $1.key }) where name.hasSuffix("bias") {
    weights[name] = Tensor(
      tensor.shape, (0..<tensor.shape.count).map { _ in Float(generator.unit() * 0.6 - 0.1) })
  }
  let final = weights
  return try TrainingNetwork<DoubleUnit>(design, batch: batch) {
    unit, needs throws(MartletError) in
    try DoubleUnit(unit, batch: batch, weights: final, needsInputGradient: needs)
  }
}

/// What is there; `#require` cannot call what changes its receiver.
func unwrap(
  _ result: CrossEntropy.Result?, sourceLocation: SourceLocation = #_sourceLocation
) throws -> CrossEntropy.Result {
  try #require(result, "nothing reached the cloud", sourceLocation: sourceLocation)
}
