package import Evaluation
package import Foundations
import Imaging
import ModelCards
package import ModelGraph
package import Plan

/// The model and the devices that neurons are placed on, and what placing reads.
package struct PlacingContext: Sendable {
  /// The model with its weights.
  package let graph: Graph
  /// What is said of the model in a plan.
  package let model: Plan.Model
  /// What is whole and what is split.
  package let sharding: Sharding
  /// In order.
  package let devices: [Plan.Device]

  /// Joins a model and a layout.
  package init(graph: Graph, model: Plan.Model, layout: PlanLayout) {
    self.graph = graph
    self.model = model
    sharding = layout.sharding
    devices = layout.devices
  }

  /// Relative work of each device.
  package var shares: [Double] { devices.map(\.share) }

  /// What placing has to know of each layer.
  package var traits: [LayerTraits] { LayerTraits.all(of: sharding, graph: graph) }

  /// Importance that follows from the weights, by layer then neuron.
  package var l1: [[Double]] { sharding.layers.map { Importance.l1(of: $0, graph: graph) } }

  /// The plan of some placements.
  ///
  /// - Throws: what `Plan` throws.
  package func plan(
    _ placements: [LayerPlacement], method: String, fill: Plan.Fill = .zero
  ) throws(MartletError) -> Plan {
    try Plan(
      model: model, method: method, devices: devices, graph: graph, sharding: sharding,
      placements: placements,
      fill: fill)
  }

  /// Bytes of the weights of the model, once.
  package var modelBytes: Int { cost(of: []).modelBytes }

  /// Elements of constants that every device holds.
  package var common: Int { LayerTraits.common(of: sharding, graph: graph) }

  /// What placements cost.
  package func cost(of placements: [LayerPlacement]) -> PlacementCost {
    PlacementCost(of: placements, layers: traits, devices: devices.count, common: common)
  }

  /// The layers with their neurons' scores, from a file of `martlet score`.
  package func scoredLayers(
    _ path: String, using chosen: [ImportanceScores.Score],
    normalisation: Normalisation = .layer
  ) throws(MartletError) -> [ScoredLayer] {
    let scores = try ScoresFile.read(path)
    guard scores.model == model.sha256 else {
      throw MartletError(
        .mismatch, "the scores are of another model", context: ["file": path],
        hint: "run martlet score for this model")
    }
    return try scoredLayers(scores, using: chosen, normalisation: normalisation)
  }

  /// The layers with their neurons' scores.
  package func scoredLayers(
    _ scores: ImportanceScores, using chosen: [ImportanceScores.Score],
    normalisation: Normalisation = .layer
  ) throws(MartletError) -> [ScoredLayer] {
    let traits = traits
    let points = try scores.points(
      layers: sharding.layers, graph: graph, using: chosen, normalisation: normalisation)
    return try zip(traits, points).map { traits, points throws(MartletError) in
      try ScoredLayer(traits: traits, points: points)
    }
  }

  /// Images to measure with, evenly chosen; their labels are not used.
  package func calibrationImages(_ paths: [String], limit: Int) throws(MartletError)
    -> LabelledImages
  {
    guard let preprocessing = model.preprocessing else {
      throw MartletError(
        .unsupported, "calibration needs a model that takes images",
        hint: "give --preprocessing, or a card beside the model")
    }
    let set = try ImageSet.open(paths: paths, labelling: .none)
    guard set.count > 0 else {
      throw MartletError(
        .notFound, "there are no calibration images",
        context: ["paths": paths.joined(separator: " ")])
    }
    let all = LabelledImages(unlabelled: set, preprocessing: preprocessing)
    let count = min(limit, all.count)
    let chosen = (0..<count).map { $0 * all.count / count }
    return LabelledImages(
      names: chosen.map { all.names[$0] }, labels: chosen.map { _ in 0 }
    ) { index throws(MartletError) in try preprocessing.apply(try set.load(chosen[index])) }
  }
}
