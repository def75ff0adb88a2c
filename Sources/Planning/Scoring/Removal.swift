package import Foundations
import Kernels
package import ModelGraph

extension Scoring {
  /// Adds s3: the Jensen-Shannon divergence between the output distributions with and without each
  /// neuron, the mean over the images. Goes on after the neurons that have it already.
  ///
  /// What does not depend on a neuron is taken from a cache, on all of `ComputeThreads.count`
  /// threads. Neurons that are silent for an image, and those whose removal changes the next layer's
  /// operand exactly as that of a neuron before them, cost nothing.
  ///
  /// - Parameters:
  ///   - scores: as `start` made them, or with some of s3 for the same images.
  ///   - observer: called every second or so, with scores that can be saved and continued.
  /// - Throws: what reading images throws, `invalidFile` naming layer and neuron for a divergence
  ///   that is not a number, and what `observer` throws.
  package static func addDivergence(
    to scores: inout ImportanceScores, graph: Graph, images: CalibrationImages,
    choices: ScoringChoices = ScoringChoices(), observer: ScoringObserver = { _, _ in }
  ) throws(MartletError) {
    try requireImages(images)
    let graph = try logitGraph(graph)
    let study = try RemovalStudy(graph, images, unit: choices.unit)
    scores.s3Calibration = .init(
      images: images.count, sha256: images.sha256, choice: choices.s3Choice)
    let numbers = Dictionary(
      graph.nodes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    var done = 0.0
    var total = 0.0
    for layer in scores.layers {
      let cost = numbers[layer.name].flatMap { study.paths[$0] }.map { study.cost($0) } ?? 0
      total += cost * Double(layer.s1.count)
      done += cost * Double(layer.s3?.count ?? 0)
    }
    let pace = Pace(total: total, before: done)
    /// Scored layers by the node that mixes their channels, to find removals that are the same.
    var siblings: [Int: [(layer: Int, emptied: [Float])]] = [:]
    for index in scores.layers.indices {
      let layer = scores.layers[index]
      guard let node = numbers[layer.name], let path = study.paths[node] else {
        // Behind the logits: without influence on them.
        scores.layers[index].s3 = [Double](repeating: 0, count: layer.s1.count)
        continue
      }
      let cost = study.cost(path)
      let removal = try RemovalLayer(
        path, graph, sums: study.sums, items: layer.s1.count * images.count,
        lanes: ComputeThreads.count)
      let earlier = path.mixing.flatMap { siblings[$0.node] } ?? []
      var round = try RemovalRound(study, removal, lanes: ComputeThreads.count)
      var values = layer.s3 ?? []
      while values.count < layer.s1.count {
        let fresh = round.next(from: values.count, of: layer.s1.count) { neuron in
          guard let view = path.mixing?.view else { return nil }
          for sibling in earlier
          where view.isEqual(neuron, sibling.emptied, removal.emptied) {
            return scores.layers[sibling.layer].s3?[neuron]
          }
          return nil
        }
        try check(fresh, .s3, layer.name, from: values.count)
        values += fresh
        done += cost * Double(fresh.count)
        scores.layers[index].s3 = values
        try observer(pace.progress(.s3, layer: layer.name, done: done), scores)
      }
      if let mixing = path.mixing {
        siblings[mixing.node, default: []].append((index, removal.emptied))
      }
    }
  }
}

extension RemovalStudy {
  /// Arithmetic for one neuron and one image.
  func cost(_ path: RemovalPath) -> Double {
    let start = path.mixing.map { graph.nodes[$0.node].output } ?? path.removal
    guard let suffix = graph.suffix(from: start) else { return 1 }
    return suffix.nodes.reduce(1e4) { $0 + Double(suffix.multiplyAdds(of: $1)) }
  }
}
