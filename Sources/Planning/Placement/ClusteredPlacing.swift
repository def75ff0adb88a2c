package import Foundations
package import Plan

/// A layer with the scores of its neurons.
package struct ScoredLayer: Sendable {
  /// The layer.
  package var traits: LayerTraits
  /// By neuron, one to three scores of importance on comparable scales.
  package var points: [[Double]]

  /// Joins a layer and its scores.
  ///
  /// - Throws: `invalidArgument` naming layer and neuron if a score is missing or not finite.
  package init(traits: LayerTraits, points: [[Double]]) throws(MartletError) {
    guard points.count == traits.neurons else {
      throw MartletError(
        .invalidArgument, "a layer has \(traits.neurons) neurons but \(points.count) scores",
        context: ["layer": traits.id])
    }
    for (neuron, point) in points.enumerated() {
      guard (1...3).contains(point.count), point.count == points[0].count,
        point.allSatisfy(\.isFinite)
      else {
        throw MartletError(
          .invalidArgument, "a neuron's importance is not one to three finite numbers",
          context: ["layer": traits.id, "neuron": "\(neuron)", "scores": "\(point)"])
      }
    }
    self.traits = traits
    self.points = points
  }

  /// One number for each neuron: the sum of its scores.
  package var importance: [Double] { points.map { $0.reduce(0, +) } }
}

extension Placing {
  /// RobustDiCE: neurons of similar importance are grouped, and every device gets equally many
  /// members of each group.
  ///
  /// Which copy is the primary, and in which order the others stand in, the paper leaves open. Here
  /// primaries divide the work as evenly as the copies allow, in each layer and over all of them.
  ///
  /// - Parameters:
  ///   - thresholds: by layer, zero or more; see `Clustering`.
  ///   - distribution: how a group is dealt.
  package static func clustered(
    _ layers: [ScoredLayer], devices: Int, thresholds: [Double],
    distribution: RoundRobin = .literal
  ) throws(MartletError) -> [LayerPlacement] {
    try check(devices: devices, tolerating: 0)
    guard thresholds.count == layers.count else {
      throw MartletError(
        .invalidArgument, "\(layers.count) layers need as many thresholds, not \(thresholds.count)")
    }
    for (layer, threshold) in zip(layers, thresholds) {
      try ThresholdFile.check(threshold, layer: layer.traits.id)
    }
    var balance = PrimaryBalance(devices: devices)
    var start = distribution.first % devices
    return zip(layers, thresholds).map { layer, threshold in
      let importance = layer.importance
      var holders = [[Int]](repeating: [], count: layer.traits.neurons)
      for group in Clustering.groups(layer.points, threshold: threshold) {
        let dealt = distribution.devices(
          importance: group.map { importance[$0] }, devices: devices, start: start)
        for (neuron, devices) in zip(group, dealt) { holders[neuron] = devices }
        if distribution.rotates { start = (start + 1) % devices }
      }
      let primaries = balance.choose(holders)
      var standIns = StandIns(devices: devices)
      for (neuron, primary) in primaries.enumerated() {
        holders[neuron] = [primary] + standIns.order(of: holders[neuron], behind: primary)
      }
      return LayerPlacement(holders: holders)
    }
  }
}
