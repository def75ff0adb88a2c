package import Foundations
package import ModelGraph
package import Plan

/// What is done to scores before distances between neurons are taken.
package enum Normalisation: String, Sendable, CaseIterable {
  /// Each score is stretched to 0...1 over its layer, so that no score outweighs another by its unit
  /// and one threshold suits all layers. The paper does not say.
  case layer
  /// Each score is stretched to 0...1 over the whole model: layers whose neurons all matter little are
  /// one group sooner.
  case model
  /// Scores as they were computed: the one with the largest numbers decides.
  case none
}

extension ImportanceScores {
  /// The neurons of one weighted node as points whose coordinates are the chosen scores, each
  /// stretched to 0...1 over the node, so that no score outweighs another by its unit.
  ///
  /// - Parameters:
  ///   - name: the node's name.
  ///   - scores: the coordinates in order; any of the seven non-empty combinations.
  /// - Throws: `notFound` for a node without scores or a score that was not computed.
  package func points(
    node name: String, using scores: [Score] = Score.allCases
  ) throws(MartletError) -> [[Double]] {
    try Self.points(try scores.map { score throws(MartletError) in try values(score, of: name) })
  }

  /// The neurons of layers as points: scores are added up over a layer's weighted nodes, whose
  /// neurons of one number live and die together, and then normalised.
  ///
  /// - Returns: by layer then neuron.
  /// - Throws: `notFound` for a node without scores or a score that was not computed; `mismatch`
  ///   when the scores are of another model.
  package func points(
    layers: [Sharding.Layer], graph: Graph, using scores: [Score] = Score.allCases,
    normalisation: Normalisation = .layer
  ) throws(MartletError) -> [[[Double]]] {
    guard !scores.isEmpty else {
      throw MartletError(.invalidArgument, "points need at least one score")
    }
    var columns = try layers.map { layer throws(MartletError) in
      try scores.map { score throws(MartletError) in try sums(score, of: layer, graph: graph) }
    }
    switch normalisation {
    case .none: break
    case .layer: columns = columns.map { $0.map(Self.normalised) }
    case .model:
      for number in scores.indices {
        let values = columns.flatMap { $0[number] }
        guard let low = values.min(), let high = values.max(), high > low else { continue }
        for layer in columns.indices {
          columns[layer][number] = columns[layer][number].map { ($0 - low) / (high - low) }
        }
      }
    }
    return zip(layers, columns).map { layer, columns in
      (0..<layer.neurons).map { neuron in columns.map { $0[neuron] } }
    }
  }

  private func sums(
    _ score: Score, of layer: Sharding.Layer, graph: Graph
  ) throws(MartletError) -> [Double] {
    var sums = [Double](repeating: 0, count: layer.neurons)
    for node in layer.weightedNodes {
      let name = graph.nodes[node].name
      let values = try values(score, of: name)
      guard values.count == layer.neurons else {
        throw MartletError(
          .mismatch, "the scores do not fit the model",
          context: ["layer": name, "neurons": "\(layer.neurons)", "scores": "\(values.count)"])
      }
      for neuron in sums.indices { sums[neuron] += values[neuron] }
    }
    return sums
  }

  /// Min-max normalisation; equal values all become 0, because they tell nothing apart.
  package static func normalised(_ values: [Double]) -> [Double] {
    guard let low = values.min(), let high = values.max(), high > low else {
      return [Double](repeating: 0, count: values.count)
    }
    return values.map { ($0 - low) / (high - low) }
  }

  private func values(_ score: Score, of name: String) throws(MartletError) -> [Double] {
    guard let layer = self[name] else {
      throw MartletError(
        .notFound, "there are no scores for a layer", context: ["layer": name],
        hint: "score the model again")
    }
    guard let values = layer.values(score) else {
      throw MartletError(
        .notFound, "the score \(score.rawValue) is not complete", context: ["layer": name],
        hint: "run martlet score again with the same file; it goes on where it stopped")
    }
    return values
  }

  private static func points(_ columns: [[Double]]) throws(MartletError) -> [[Double]] {
    guard let first = columns.first else {
      throw MartletError(.invalidArgument, "points need at least one score")
    }
    let normalised = columns.map(normalised)
    return first.indices.map { neuron in normalised.map { $0[neuron] } }
  }
}
