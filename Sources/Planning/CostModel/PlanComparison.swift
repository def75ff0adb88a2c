package import Foundations
package import Plan

/// What a plan should be best at.
package enum PlanGoal: String, Sendable, CaseIterable {
  /// The time of one frame.
  case latency
  /// Frames a second.
  case throughput
  /// Memory of the device with most.
  case memory
}

/// Plans of one model for the same devices, predicted, and compared with one device alone.
package struct PlanComparison: Sendable {
  /// One plan.
  package struct Entry: Sendable {
    /// The method with what it was told, as in `coded, tolerates 1`.
    package var name: String
    /// The plan.
    package var made: PlanMaker.Made
    /// With all devices.
    package var prediction: CostPrediction
    /// Without the device whose loss makes frames slowest; nil of a single device.
    package var loss: CostPrediction?
    /// The largest share of a layer's neurons that is lost with one device, 0 to 1.
    package var lostShare: Double
  }

  /// In the order of the methods.
  package private(set) var entries: [Entry] = []
  /// What cannot be had, and why.
  package private(set) var leftOut: [PlacementCollection.LeftOut] = []
  /// The whole model on the fastest device, which is also its own client.
  package private(set) var alone: LonePrediction?

  private let model: CostModel

  /// Nothing yet.
  package init(_ model: CostModel) { self.model = model }

  /// Makes and compares a plan of every method that needs nothing but devices.
  ///
  /// - Parameters:
  ///   - divisions: what is divided by rows and in pairs; each method is tried with each.
  ///   - make: a plan by a method, its options, and a division.
  /// - Throws: `cancelled`, and whatever does not come from what a method cannot do.
  package init(
    _ model: CostModel, methods: PlanningMethods = .standard, divisions: [Division] = [Division()],
    devices: Int,
    make: (any PlanningMethod, [String: String], Division) throws(MartletError) -> PlanMaker.Made
  ) throws(MartletError) {
    self.init(model)
    for method in methods.all {
      var variants = method.variants(devices: devices, budgets: [])
      if variants.isEmpty, method.abilities.worksAlone { variants = [MethodVariant(method.name)] }
      variants.removeAll { !$0.requires.isEmpty }
      guard !method.abilities.needsImages, !variants.isEmpty else {
        let reason = "it needs more than devices: name it with --method"
        leftOut.append(.init(name: method.name, reason: reason))
        continue
      }
      for variant in variants {
        for (number, division) in divisions.enumerated() {
          do throws(MartletError) {
            let made = try make(method, variant.options, division)
            let sharding = made.plan.sharding
            add(
              variant.name + (sharding.strips == nil ? "" : ", strips")
                + (sharding.pairs.isEmpty ? "" : ", pairs"), made)
          } catch  where [.invalidArgument, .unsupported, .mismatch].contains(error.code) {
            // Methods that place whole blocks have no strips, and those with copies or codes no pairs.
            if number == 0 { leftOut.append(.init(name: variant.name, reason: error.message)) }
          }
        }
      }
    }
  }

  /// Adds a plan.
  package mutating func add(_ name: String, _ made: PlanMaker.Made) {
    let plan = made.plan
    entries.append(
      Entry(
        name: name, made: made, prediction: model.predict(plan: plan),
        loss: model.predictLoss(plan: plan), lostShare: plan.largestLostShare))
    alone = alone ?? model.predictAlone(plan: plan)
  }

  /// The plan that is best at something; of equal ones the first. Nil without plans.
  package func best(for goal: PlanGoal) -> Entry? {
    entries.min { goal.price(of: $0.prediction) < goal.price(of: $1.prediction) }
  }

  /// Whether no plan is better than one device alone.
  package func isBestAlone(for goal: PlanGoal) -> Bool {
    guard let best = best(for: goal), let alone else { return false }
    return goal.price(of: alone) <= goal.price(of: best.prediction)
  }

  /// In a line what is best and why.
  package func summary(for goal: PlanGoal) -> String {
    guard let best = best(for: goal), let alone else { return "there is no plan to compare" }
    let devices = best.made.plan.devices
    let (own, other) = (goal.text(of: best.prediction), goal.text(of: alone))
    let limit = "the narrowest place is " + best.prediction.narrowestText(devices)
    guard isBestAlone(for: goal) else {
      let ratio = goal.price(of: alone) / goal.price(of: best.prediction)
      let name = best.made.plan.dispatchesFrames ? "whole frames (\(best.name))" : best.name
      return "best for \(goal): \(name), \(own), where one device alone has \(other) "
        + "(\(ratio.asTenths) times as good); \(limit)"
    }
    return "best for \(goal): one device alone, \(other); \(best.name), the best division, has "
      + "\(own), of which \(best.prediction.computing.asMilliseconds) ms are computing; \(limit)"
  }
}

extension PlanGoal {
  /// What is to be small.
  func price(of prediction: CostPrediction) -> Double {
    switch self {
    case .latency: prediction.latency
    case .throughput: 1 / prediction.framesPerSecond
    case .memory: Double(prediction.memoryBytes)
    }
  }

  func price(of alone: LonePrediction) -> Double {
    switch self {
    case .latency, .throughput: alone.latency
    case .memory: Double(alone.memoryBytes)
    }
  }

  func text(of prediction: CostPrediction) -> String {
    switch self {
    case .latency: "\(prediction.latency.asMilliseconds) ms"
    case .throughput: "\(prediction.framesPerSecond.asTenths) frames/s"
    case .memory: "\((Double(prediction.memoryBytes) / 1e6).asTenths) MB a device"
    }
  }

  func text(of alone: LonePrediction) -> String {
    switch self {
    case .latency: "\(alone.latency.asMilliseconds) ms"
    case .throughput: "\(alone.framesPerSecond.asTenths) frames/s"
    case .memory: "\((Double(alone.memoryBytes) / 1e6).asTenths) MB"
    }
  }
}

extension Double {
  fileprivate var asTenths: String {
    isFinite && magnitude < 1e12 ? "\((self * 10).rounded() / 10)" : "\(self)"
  }
  fileprivate var asMilliseconds: String { (self * 1e3).asTenths }
}

extension Plan {
  /// The largest share of a layer's neurons that is lost with any one device, 0 to 1.
  package var largestLostShare: Double {
    devices.indices.map { lost in
      let alive = devices.indices.map { $0 != lost }
      guard !isWhole(alive: alive) else { return 0 }
      return placements.map {
        Double($0.lostNeurons(alive: alive).count) / Double(max(1, $0.holders.count))
      }.max() ?? 0
    }.max() ?? 0
  }
}
