import Foundations
import JSONCoding
import Plan
import Tables
import TensorFiles

/// RobustDiCE (Guo and others, Integration 2024): groups of neurons of similar importance, padded with
/// replicas and dealt over all devices.
struct RobustDiCEMethod: PlanningMethod {
  let name = "robustdice"
  let summary = "groups of similar importance, padded with replicas, dealt round robin"
  let abilities = MethodAbilities(takesShares: false, worksAlone: false)
  let options: [any MethodOptionFacts] =
    [
      RobustDiCEMethod.threshold, RobustDiCEMethod.thresholds, SharedOptions.copies,
      SharedOptions.memory,
    ] + SharedOptions.importanceOptions + [RobustDiCEMethod.deal]

  /// One distance for all layers.
  static let threshold = MethodOption<Double>(
    "threshold", .number(from: 0, mayBeInfinite: true, valueName: "distance"), group: "size",
    help: "neurons closer than this are grouped; 0 replicates all, inf nothing.")

  /// A distance for each layer.
  static let thresholds = MethodOption<String>(
    "thresholds", .file, group: "size",
    help: "JSON file, a threshold for each layer: {\"model_sha256\", \"thresholds\"}.")

  /// How a group is dealt.
  static let deal = MethodOption<Deal>(
    "deal", .choice("how"), standard: Deal.literal.rawValue,
    help: """
      paper, as Algorithm 1 has it: each group begins at the second device (line 28) and its first \
      members are copied; literal, the same from the first device on; or balanced: each begins at the \
      next one, and the most important are copied.
      """)

  /// Where groups begin, and who is copied.
  enum Deal: String, Sendable, CaseIterable {
    case literal, paper, balanced

    var distribution: RoundRobin {
      switch self {
      case .literal: .literal
      case .paper: .paper
      case .balanced: .balanced
      }
    }
  }

  func place(_ request: PlacementRequest) throws(MartletError) -> PlacementResult {
    try place(try Self.scoredLayers(request), request)
  }

  private func place(
    _ layers: [ScoredLayer], _ request: PlacementRequest
  ) throws(MartletError) -> PlacementResult {
    let (context, choices) = (request.context, request.choices)
    let thresholds: [Double]
    var text = "\(name) \(choices.text(SharedOptions.importance) ?? "")"
    if let path = choices[Self.thresholds] {
      let file = try JSON.decode(
        ThresholdFile.self, from: try FileSystem.read(path, limit: 1 << 20), source: path)
      thresholds = try file.resolved(
        layers: context.sharding.layers.map(\.id), modelSHA256: context.model.sha256)
      text += ", thresholds by layer"
    } else if let threshold = choices[Self.threshold] {
      thresholds = Array(repeating: threshold, count: layers.count)
      text += ", threshold \(threshold)"
    } else {
      let memory = choices[SharedOptions.memory]
      let copies = choices[SharedOptions.copies] ?? 2
      let target: ThresholdSearch.Target = memory.map { .memory($0) } ?? .copies(copies)
      let found = try ThresholdSearch(layers, devices: request.devices, common: context.common)
        .find(target)
      thresholds = Array(repeating: found.threshold, count: layers.count)
      text += ", threshold \(found.threshold.formatted(6)) for "
      text +=
        memory.map { "at most \($0.asBytes) a device" }
        ?? "at most \(copies.formatted(2)) copies"
    }
    let deal = choices[Self.deal] ?? .literal
    return PlacementResult(
      placements: try Placing.clustered(
        layers, devices: request.devices, thresholds: thresholds, distribution: deal.distribution),
      description: deal == .literal ? text : text + ", \(deal.rawValue)")
  }

  /// The layers with their neurons' scores, from `--scores` or, for s1 alone, from the weights.
  static func scoredLayers(_ request: PlacementRequest) throws(MartletError) -> [ScoredLayer] {
    let (context, choices) = (request.context, request.choices)
    let chosen = choices[SharedOptions.importance] ?? ImportanceScores.Score.allCases
    let normalisation = choices[SharedOptions.normalise] ?? .layer
    if let path = choices[SharedOptions.scores] {
      return try context.scoredLayers(path, using: chosen, normalisation: normalisation)
    }
    guard chosen == [.s1] else {
      throw MartletError(
        .invalidArgument, "robustdice needs the importance of neurons",
        hint: "martlet score MODEL --calibration IMAGES -o scores.json makes it, for --scores; "
          + "--importance s1 needs no images")
    }
    return try context.scoredLayers(
      try Scoring.start(graph: context.graph, model: context.model.sha256), using: chosen,
      normalisation: normalisation)
  }

  // MARK: Comparing

  func variants(devices: Int, budgets: [Double]) -> [MethodVariant] {
    budgets.map { budget in
      MethodVariant(
        name, name: "\(name) at \(budget.asPlainText)",
        options: [SharedOptions.copies.name: "\(budget)"], requires: [SharedOptions.scores.name],
        budget: budget)
    }
  }

  /// The scores are read once.
  func place(
    _ variants: [MethodVariant], _ request: PlacementRequest
  ) throws(MartletError) -> [VariantOutcome] {
    let layers = try Self.scoredLayers(request)
    let shown = request.measuring.watch("\(name): budget", variants.count)
    var outcomes: [VariantOutcome] = []
    for variant in variants {
      try request.measuring.check()
      do throws(MartletError) {
        outcomes.append(.placed(try place(layers, try request.adding(variant.options, for: self))))
      } catch  where error.code == .invalidArgument {
        // Groups are padded: a model may need a little more than one copy.
        outcomes.append(.leftOut(error.hint ?? error.message))
      }
      shown(outcomes.count)
    }
    return outcomes
  }

  // MARK: Within a budget

  /// Groups with a threshold of its own for each layer, rotated, with replicas of the most important.
  func protections(
    _ material: ProtectionMaterial
  ) throws(MartletError) -> [ProtectionOffer] {
    guard let scored = material.scored else { return [] }
    let devices = material.devices
    return try [1.5, 2, 3].filter { $0 < Double(devices) }.map { target throws(MartletError) in
      let thresholds = scored.map { layer in
        // A layer that cannot be had at this price takes what is nearest.
        (try? ThresholdSearch([layer], devices: devices).find(.copies(target)))?.threshold
          ?? .infinity
      }
      return ProtectionOffer(
        "clustered\(target.asShortText)",
        try Placing.clustered(
          scored, devices: devices, thresholds: thresholds, distribution: .balanced),
        use: .layers)
    }
  }

  /// The method as it is, and balanced. Below what groups need with their padding there is none.
  func protections(
    _ material: ProtectionMaterial, copies: Double
  ) throws(MartletError) -> [ProtectionOffer] {
    guard let scored = material.scored,
      let found = try? ThresholdSearch(scored, devices: material.devices).find(.copies(copies))
    else { return [] }
    let thresholds = [Double](repeating: found.threshold, count: scored.count)
    let price = found.copies.asShortText
    return [
      ProtectionOffer(
        "\(name)\(price)",
        try Placing.clustered(scored, devices: material.devices, thresholds: thresholds),
        use: .wholePlan),
      ProtectionOffer(
        "clustered\(price)",
        try Placing.clustered(
          scored, devices: material.devices, thresholds: thresholds, distribution: .balanced),
        use: .wholePlan),
    ]
  }
}
