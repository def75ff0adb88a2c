package import Foundations
package import ModelGraph
import Tensors

/// The computation of importance scores (RobustDiCE, section 4.2).
///
/// Where the paper is silent: the y of s2 is the logit of the class that the model puts first, added
/// up over the images before the gradient is multiplied with the weights; s3 is the mean of the
/// images' divergences, in nats, with the neuron's output zero after its activation and before
/// anything is added to it. A softmax at the end of the model is taken away for both, and applied
/// again in double precision.
package enum Scoring {
  /// Scores that need no images: s1 of every weighted node.
  ///
  /// - Parameters:
  ///   - graph: the optimised model.
  ///   - model: the SHA-256 of its file.
  /// - Throws: `unsupported` if nothing in the model has neurons; `invalidFile` naming layer and
  ///   neuron for weights that are not numbers.
  package static func start(graph: Graph, model: String) throws(MartletError) -> ImportanceScores {
    let layers = Importance.weightedNodes(of: graph).map { index in
      let node = graph.nodes[index]
      return ImportanceScores.Layer(name: node.name, s1: Importance.l1(of: node, graph: graph))
    }
    guard !layers.isEmpty else {
      throw MartletError(
        .unsupported, "the model has no convolution or dense layer to score",
        context: ["model": graph.name])
    }
    for layer in layers { try check(layer.s1, .s1, layer.name) }
    return ImportanceScores(model: model, layers: layers)
  }

  /// - Throws: `invalidFile` naming the layer and the first neuron whose score is not a number.
  static func check(
    _ values: some Sequence<Double>, _ score: ImportanceScores.Score, _ layer: String,
    from first: Int = 0
  ) throws(MartletError) {
    for (offset, value) in values.enumerated() where !value.isFinite {
      throw MartletError(
        .invalidFile, "a score is not a finite number",
        context: [
          "layer": layer, "neuron": "\(first + offset)", "score": score.rawValue,
          "value": "\(value)",
        ], hint: "look for NaN or huge values in the weights and in the prepared images")
    }
  }

  /// The model as a function of one image that ends in logits.
  ///
  /// - Throws: `unsupported` for more than one input, or a batch other than 1.
  static func logitGraph(_ graph: Graph) throws(MartletError) -> Graph {
    guard graph.inputs.count == 1, graph[graph.inputs[0]].shape.dimensions.first == 1 else {
      throw MartletError(
        .unsupported, "only models with one input and a batch of 1 can be scored",
        context: [
          "model": graph.name,
          "inputs": graph.inputs.map { "\(graph[$0].shape)" }.joined(separator: " "),
        ])
    }
    let logits = graph.endingInLogits()
    guard let output = logits.outputs.first, logits[output].shape.count > 1 else {
      throw MartletError(
        .unsupported, "a model with a single output has no distribution over classes",
        context: ["model": graph.name])
    }
    return logits
  }

  static func requireImages(_ images: CalibrationImages) throws(MartletError) {
    guard images.count > 0 else {
      throw MartletError(
        .notFound, "there are no calibration images", hint: "s1 alone needs none")
    }
  }
}

/// Is told the progress and the scores so far. May throw to stop, say after saving these.
package typealias ScoringObserver = (
  ScoringProgress, ImportanceScores
) throws(MartletError) -> Void
