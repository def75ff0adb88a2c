import Evaluation
import Imaging
import ModelGraph
import Plan
import Planning
import TensorCore
import TensorFiles

/// The model and the devices that neurons are placed on, and what placing reads.
struct PlacingContext: Sendable {
  let graph: Graph
  let sharding: Sharding
  let devices: [Plan.Device]
  let modelSHA256: String
  let preprocessing: Preprocessing?
  let labels: [String]
  /// How images get labels for the model.
  let labelling: ImageLabelling
  let frequencies: [Double]?
  let head: Head

  /// - Parameter sharding: by neurons if nil.
  init(
    graph: Graph, modelPath: String, card: ModelCard, devices: [Plan.Device],
    sharding: Sharding? = nil
  ) throws(MartletError) {
    self.graph = graph
    if let sharding { self.sharding = sharding } else { self.sharding = try Sharding(graph) }
    self.devices = devices
    modelSHA256 = try FileDigest.sha256(path: modelPath)
    preprocessing = try card.preprocessing(for: graph)
    labels = try card.classNames(for: graph)?.names ?? []
    labelling = try card.labelling(for: graph)
    frequencies = card.frequencies
    head = try card.head(of: graph)
  }

  var shares: [Double] { devices.map(\.share) }
  var traits: [LayerTraits] { LayerTraits.all(of: sharding, graph: graph) }
  var l1: [[Double]] { sharding.layers.map { Importance.l1(of: $0, graph: graph) } }
  /// The plan of some placements.
  func plan(
    _ placements: [LayerPlacement], method: String, fill: Plan.Fill = .zero
  ) throws(MartletError) -> Plan {
    try Plan(
      model: Plan.Model(
        name: graph.name, sha256: modelSHA256, preprocessing: preprocessing, labels: labels,
        frequencies: frequencies, head: head),
      method: method, devices: devices, graph: graph, sharding: sharding, placements: placements,
      fill: fill)
  }

  /// Bytes of the weights of the model, once.
  var modelBytes: Int { cost(of: []).modelBytes }

  /// Elements of constants that every device holds.
  var common: Int { LayerTraits.common(of: sharding, graph: graph) }

  /// What placements cost.
  func cost(of placements: [LayerPlacement]) -> PlacementCost {
    PlacementCost(of: placements, layers: traits, devices: devices.count, common: common)
  }

  /// The layers with their neurons' scores, from a file of `martlet score`.
  func scoredLayers(
    _ path: String, using chosen: [ImportanceScores.Score],
    normalisation: Normalisation = .layer
  ) throws(MartletError) -> [ScoredLayer] {
    let scores = try ScoresFile.read(path)
    guard scores.model == modelSHA256 else {
      throw MartletError(
        .mismatch, "the scores are of another model", context: ["file": path],
        hint: "run martlet score for this model")
    }
    return try scoredLayers(scores, using: chosen, normalisation: normalisation)
  }

  /// The layers with their neurons' scores.
  func scoredLayers(
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
  func calibrationImages(_ paths: [String], limit: Int) throws(MartletError) -> LabelledImages {
    guard let preprocessing else {
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
