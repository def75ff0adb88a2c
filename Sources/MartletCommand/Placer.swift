import Evaluation
import JSONCoding
import ModelGraph
import Plan
import Planning
import Tables
import TensorCore
import TensorFiles

/// Carries out the method of `martlet plan`.
struct Placer {
  /// Where the neurons go, and in words how that was decided.
  struct Result {
    var placements: [LayerPlacement]
    var method: String
    /// For `budget`: the protection of each layer and what it keeps; nil otherwise.
    var budget: BudgetPlanner.Outcome?
  }

  let options: MethodOptions
  let context: PlacingContext
  let measuring: Measuring
  let unreadable: UnreadableImages

  private var graph: Graph { context.graph }
  private var sharding: Sharding { context.sharding }
  private var devices: [Plan.Device] { context.devices }
  private var shares: [Double] { context.shares }
  private var traits: [LayerTraits] { context.traits }

  /// Places every layer.
  func place() throws -> Result {
    switch options.method {
    case .lop, .interleaved:
      let method = options.method == .lop ? PartitionMethod.lop : .interleaved
      return Result(
        placements: Placing.single(
          method.parts(graph: graph, sharding: sharding, shares: shares)),
        method: method.rawValue)
    case .replicate:
      return Result(
        placements: Placing.replicate(traits, shares: shares), method: "replicate")
    case .cdc:
      return Result(
        placements: try Placing.parityDevice(traits, shares: shares), method: "cdc")
    case .coded:
      let tolerating = options.tolerate ?? 1
      return Result(
        placements: try Placing.coded(
          traits, shares: shares, tolerating: tolerating, importance: context.l1),
        method: "coded, tolerates \(tolerating)")
    case .vertical:
      return Result(
        placements: sharding.layers.indices.map { LayerPlacement(holders: [[$0]]) },
        method: "vertical")
    case .robustdice: return try clustered()
    case .budget: return try budget()
    }
  }

  private func requireEqualShares() throws(MartletError) {
    guard shares.allSatisfy({ $0 == shares[0] }) else {
      throw MartletError(
        .invalidArgument, "\(options.method.rawValue) deals equal shares to all devices",
        hint: "leave --shares out, or use lop or interleaved")
    }
  }

  // MARK: RobustDiCE

  private func scoredLayers() throws -> [ScoredLayer] {
    let chosen = try options.chosenScores()
    if let path = options.scores {
      return try context.scoredLayers(path, using: chosen, normalisation: options.normalise)
    }
    guard chosen == [.s1] else {
      throw MartletError(
        .invalidArgument, "robustdice needs the importance of neurons",
        hint: "martlet score MODEL --calibration IMAGES -o scores.json makes it, for --scores; "
          + "--importance s1 needs no images")
    }
    return try context.scoredLayers(
      try Scoring.start(graph: graph, model: context.modelSHA256), using: chosen,
      normalisation: options.normalise)
  }

  private func clustered() throws -> Result {
    try requireEqualShares()
    let layers = try scoredLayers()
    let count = devices.count
    let thresholds: [Double]
    var text = "robustdice \(options.importance)"
    if let path = options.thresholds {
      let file = try JSON.decode(
        ThresholdFile.self, from: try FileSystem.read(path, limit: 1 << 20), source: path)
      thresholds = try file.resolved(
        layers: sharding.layers.map(\.id), modelSHA256: context.modelSHA256)
      text += ", thresholds by layer"
    } else if let threshold = options.threshold {
      thresholds = Array(repeating: threshold, count: layers.count)
      text += ", threshold \(threshold)"
    } else {
      let target: ThresholdSearch.Target =
        options.memory.map { .memory($0.bytes) } ?? .copies(options.copies ?? 2)
      let found = try ThresholdSearch(layers, devices: count, common: context.common).find(target)
      thresholds = Array(repeating: found.threshold, count: layers.count)
      text += ", threshold \(found.threshold.formatted(6)) for "
      text +=
        options.memory.map { "at most \($0.bytes.asBytes) a device" }
        ?? "at most \((options.copies ?? 2).formatted(2)) copies"
    }
    return Result(
      placements: try Placing.clustered(
        layers, devices: count, thresholds: thresholds,
        distribution: options.deal == .balanced ? .balanced : .literal),
      method: options.deal == .balanced ? text + ", balanced" : text)
  }

  // MARK: Budget

  private func budget() throws -> Result {
    try requireEqualShares()
    try context.head.requireOneOfMany(for: "--method budget")
    if let survive = options.survive, survive >= devices.count {
      throw MartletError(
        .invalidArgument,
        "\(devices.count) device\(devices.count == 1 ? "" : "s") cannot survive \(survive) failures",
        hint: devices.count > 1
          ? "nobody would be left to answer: --survive 1 to \(devices.count - 1)"
          : "nobody would be left to answer: give more --devices")
    }
    let table = try ProtectionTable(
      layers: traits, devices: devices.count, importance: context.l1,
      scored: options.scores == nil ? nil : try scoredLayers(), common: context.common)
    let values = ExchangedValue.all(of: graph, sharding)
    let model = try MaskedModel(batching: graph, points: values.map(\.point), largest: 8)
    let images = try calibrationImages().decoded(elements: model.inputCounts[0])
    let fill: ChannelFill =
      options.fill == .zero
      ? .zero : .constants(try measuring.means(of: model, images, what: "calibration image"))
    let planner = try BudgetPlanner(
      table, values: values, fill: fill, model: model, images: images,
      threads: measuring.threads,
      plan: {
        [context] placements throws(MartletError) in
        try context.plan(placements, method: "budget")
      },
      progress: measuring.progress(.layers, images: images.count),
      isStopped: measuring.isStopped)
    let weights =
      try options.reliabilities(devices: devices.count).map { FailureWeights.reliabilities($0) }
      ?? FailureWeights.surviving(options.survive ?? 1, devices: devices.count)
    let survive = options.survive ?? 1
    let bytes =
      options.memory.map { $0.bytes * devices.count }
      ?? Int(Double(context.modelBytes) * (options.copies ?? 2))
    let request = BudgetPlanner.Request(
      weights: weights, budget: bytes,
      limits: DeviceLimits(
        weightBytes: options.memory?.bytes, multiplyAdds: options.multiplyAdds?.count,
        traffic: options.traffic?.bytes,
        failures: options.limits == .healthy ? 0 : min(survive, devices.count - 1)))
    let outcome = try planner.plans(
      [request], progress: measuring.progress(.plans, images: images.count),
      isStopped: measuring.isStopped)[0]
    let cost = context.cost(of: outcome.placements)
    let goal = options.reliability.map { "reliability \($0)" } ?? "survives \(survive)"
    return Result(
      placements: outcome.placements,
      method: "budget \(cost.copies().formatted(2)) copies, \(goal)", budget: outcome)
  }

  // MARK: Calibration

  private func calibrationImages() throws(MartletError) -> LabelledImages {
    try measuring.readable(
      try context.calibrationImages(options.calibration, limit: options.calibrationLimit),
      unreadable)
  }

  /// What stands in for lost channels of a plan.
  func fill(for plan: Plan) throws(MartletError) -> Plan.Fill {
    guard options.fill == .mean else { return .zero }
    let gathered = plan.exchanges.filter { !$0.isDecoded }
    let model = try MaskedModel(
      batching: graph, points: gathered.map { ChannelPoint(value: $0.value, axis: $0.axis) })
    var means = try measuring.means(
      of: model, try calibrationImages(), what: "mean over image")[...]
    return .mean(plan.exchanges.map { $0.isDecoded ? [] : means.removeFirst() })
  }
}
