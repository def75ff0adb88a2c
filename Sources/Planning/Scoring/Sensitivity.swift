package import Foundations
import Glibc
import Gradients
package import ModelGraph
import Tensors

extension Scoring {
  /// Adds s2: the sum of |dy/dw w| over a neuron's weights plus |dy/db b|, y the logit of the class
  /// that comes first (or what `choices` says), added up over the images.
  ///
  /// - Throws: what reading images and differentiating throws, and what `observer` throws.
  package static func addSensitivity(
    to scores: inout ImportanceScores, graph: Graph, images: CalibrationImages,
    choices: ScoringChoices = ScoringChoices(), observer: ScoringObserver = { _, _ in }
  ) throws(MartletError) {
    try requireImages(images)
    let graph = try logitGraph(graph)
    let nodes = Importance.weightedNodes(of: graph)
    let targets = Set(nodes.flatMap { graph.nodes[$0].inputs.dropFirst() })
      .filter { graph.constants[$0] != nil }.sorted()
    let batch = batchSize(graph, targets: targets, images: images.count)
    let tape = try GradientTape(
      BackwardPlan(batch > 1 ? try graph.rebatched(to: batch) : graph, targets: targets))
    tape.clearGradients()

    let pace = Pace(total: Double(images.count))
    let shape = tape.plan.graph[tape.plan.graph.outputs[0]].shape
    let classes = shape.count / batch
    let inputCount = tape.plan.graph[tape.plan.graph.inputs[0]].shape.count
    try MemoryLimit.require(
      2 * (inputCount + shape.count), of: MemoryLayout<Float>.size, for: "a batch of images")
    for first in stride(from: 0, to: images.count, by: batch) {
      let count = min(batch, images.count - first)
      var input: [Float] = []
      for index in first..<first + count { input += try images.input(index).floats ?? [] }
      let inputShape = tape.plan.graph[tape.plan.graph.inputs[0]].shape
      guard input.count * batch == inputShape.count * count else {
        throw MartletError(
          .invalidShape, "a calibration image does not have the shape of the model's input",
          context: ["expected": "\(inputShape)"])
      }
      // The last batch may have fewer images; what fills it has no part in y.
      input += [Float](repeating: 0, count: inputShape.count - input.count)
      let logits = try tape.forward([Tensor(inputShape, input)])[0].floats ?? []
      var cotangent = [Float](repeating: 0, count: shape.count)
      for image in 0..<count {
        let row = logits[(image * classes)..<((image + 1) * classes)]
        guard let top = row.indices.max(by: { row[$0] < row[$1] }) else { continue }
        cotangent[top] = 1
        guard choices.output == .logProbability else { continue }
        for (index, log) in zip(row.indices, Distribution(logits: row).logarithms) {
          cotangent[index] -= Float(exp(log))
        }
      }
      try tape.backward([Tensor(shape, cotangent)])
      try observer(pace.progress(.s2, done: Double(first + count)), scores)
    }
    for index in nodes {
      let node = graph.nodes[index]
      let values = sensitivity(of: node, graph: graph, tape)
      try check(values, .s2, node.name)
      guard let layer = scores.layers.firstIndex(where: { $0.name == node.name }) else { continue }
      scores.layers[layer].s2 = values
    }
    // A node behind the logits, if there is any, has no influence on them.
    for layer in scores.layers.indices where scores.layers[layer].s2 == nil {
      scores.layers[layer].s2 = [Double](repeating: 0, count: scores.layers[layer].s1.count)
    }
    scores.s2Calibration = .init(
      images: images.count, sha256: images.sha256, choice: choices.s2Choice)
  }

  private static func sensitivity(
    of node: Node, graph: Graph, _ tape: GradientTape
  ) -> [Double] {
    let count = Importance.neurons(of: node, graph: graph)
    var sums = [Double](repeating: 0, count: count)
    for id in node.inputs.dropFirst() {
      guard let values = graph.constants[id]?.floats, values.count % count == 0 else { continue }
      let row = values.count / count
      tape.withGradient(of: id) { gradient in
        for neuron in sums.indices {
          for element in (neuron * row)..<((neuron + 1) * row) {
            sums[neuron] += abs(Double(gradient[element]) * Double(values[element]))
          }
        }
      }
    }
    return sums
  }

  /// As many images as fit into some memory, and no more than pays.
  private static func batchSize(_ graph: Graph, targets: [ValueID], images: Int) -> Int {
    guard let single = try? BackwardPlan(graph, targets: targets),
      (try? graph.rebatched(to: 2)) != nil
    else { return 1 }
    let parameters = 2 * graph.constants.values.reduce(0) { $0 + $1.shape.count * 4 }
    let perImage = max(single.bytes - parameters, 1 << 20)
    return max(1, min(sensitivityMemory / perImage, 16, images))
  }

  /// Bytes of activations and their gradients in one batch.
  private static let sensitivityMemory = 384 << 20
}
