import Evaluation
import Foundations
import ModelGraph
import Plan
import Planning
import Resilience
import TestSupport
import Testing

/// The search for a plan within a budget, on small random networks.
@Suite("Planning for a budget")
struct BudgetPlannerTests {
  private struct Subject {
    let graph: Graph
    let sharding: Sharding
    let layers: [LayerTraits]
    let values: [ExchangedValue]
    let model: MaskedModel
    let images: LabelledImages
    let scored: [ScoredLayer]

    init(seed: UInt64) throws {
      let graph = try RandomGraph.network(seed: seed)
      self.graph = graph
      sharding = try Sharding(graph)
      layers = LayerTraits.all(of: sharding, graph: graph)
      values = ExchangedValue.all(of: graph, sharding)
      model = try MaskedModel(batching: graph, points: values.map(\.point), largest: 8)
      images = LabelledImages(
        names: (0..<12).map { "\($0)" }, labels: Array(repeating: 0, count: 12)
      ) { RandomGraph.input(of: graph, seed: UInt64($0)) }
      var scored: [ScoredLayer] = []
      for (number, layer) in sharding.layers.enumerated() {
        scored.append(
          try ScoredLayer(
            traits: layers[number],
            points: Importance.l1(of: layer, graph: graph).map { [$0] }))
      }
      self.scored = scored
    }

    /// What the devices hold.
    func bytes(_ placements: [LayerPlacement]) throws -> Int {
      let plan = try plan(placements)
      return (0..<4).reduce(0) { $0 + plan.cost(of: $1).weightBytes }
    }

    func plan(_ placements: [LayerPlacement]) throws(MartletError) -> Plan {
      try Plan(
        model: Plan.Model(name: "m", sha256: "", preprocessing: nil, labels: []),
        method: "test", devices: (0..<4).map { Plan.Device(name: "d\($0)") }, graph: graph,
        sharding: sharding, placements: placements)
    }

    func planner() throws -> BudgetPlanner {
      try BudgetPlanner(
        try ProtectionTable(
          layers: layers, devices: 4, importance: scored.map(\.importance), scored: scored,
          common: LayerTraits.common(of: sharding, graph: graph)),
        values: values, fill: .zero, model: model, images: images,
        plan: { placements throws(MartletError) in try plan(placements) })
    }

    /// What counts, of placements of another method.
    func worth(_ placements: [LayerPlacement], _ weights: [Double]) throws -> Double {
      let sets = try FailureSets.upTo(3, devices: 4).filter { !$0.isEmpty }
      let masks = sets.map { failed in
        let alive = (0..<4).map { !failed.contains($0) }
        return Mask(
          lost: values.map {
            placements[$0.layer].lostNeurons(alive: alive, isBehindFilters: $0.isBehindFilters)
          })
      }
      let effects = try MaskEffect.of(masks, fill: .zero, model: model, images: images)
      return weights.enumerated().reduce(0) { sum, weight in
        let own = zip(sets, effects).filter { $0.0.count == weight.offset + 1 }
          .map { ($0.1.agreement + 1 - $0.1.confidenceLoss) / 2 }
        return sum + max(weight.element, 1e-3) * own.reduce(0, +) / Double(own.count)
      }
    }
  }

  private static let shares = [Double](repeating: 1, count: 4)

  @Test("is never worse than another method at the same price", arguments: 0..<6)
  func uniform(seed: UInt64) throws {
    let subject = try Subject(seed: seed)
    let coded = try Placing.coded(
      subject.layers, shares: Self.shares, tolerating: 1,
      importance: subject.scored.map(\.importance))
    var rivals = [
      coded, Placing.contiguous(subject.layers, shares: Self.shares),
      Placing.copies(subject.layers, shares: Self.shares, tolerating: 1),
    ]
    if let found = try? ThresholdSearch(subject.scored, devices: 4).find(.copies(2)) {
      rivals.append(
        try Placing.clustered(
          subject.scored, devices: 4,
          thresholds: subject.layers.map { _ in found.threshold }))
    }
    let price = try subject.bytes(coded)
    for (survive, budget) in [(1, price), (3, 2 * price / 4 * 3)] {
      let weights = FailureWeights.surviving(survive, devices: 4)
      let outcome = try subject.planner().plans([.init(weights: weights, budget: budget)])[0]
      #expect(outcome.bytes <= budget)
      #expect(outcome.bytes == (try subject.bytes(outcome.placements)))
      if survive == 1 { #expect(outcome.agreement[0] == 1, "seed \(seed): a code fits") }
      let own = try subject.worth(outcome.placements, weights)
      for (number, rival) in rivals.enumerated()
      where try subject.bytes(rival) <= budget {
        #expect(own >= (try subject.worth(rival, weights)) - 1e-9, "seed \(seed), rival \(number)")
      }
    }
  }

  @Test("keeps to limits of a device, or says the least")
  func limits() throws {
    let subject = try Subject(seed: 1)
    let planner = try subject.planner()
    let weights = FailureWeights.surviving(1, devices: 4)
    let budget = 1 << 30
    func plan(_ limits: DeviceLimits) throws -> BudgetPlanner.Outcome {
      try planner.plans([.init(weights: weights, budget: budget, limits: limits)])[0]
    }
    func load(_ outcome: BudgetPlanner.Outcome, failures: Int) throws -> DeviceLimits.Load {
      try DeviceLimits(failures: failures).load(
        of: subject.plan(outcome.placements))
    }
    let free = try load(try plan(DeviceLimits(failures: 1)), failures: 1)
    let tight = DeviceLimits(multiplyAdds: free.multiplyAdds - 1, failures: 1)
    do {
      let kept = try load(try plan(tight), failures: 1)
      #expect(kept.multiplyAdds < free.multiplyAdds)
    } catch let error as MartletError {
      #expect(error.description.contains("minimum"))
    }
    for limits in [
      DeviceLimits(weightBytes: 1), DeviceLimits(multiplyAdds: 1), DeviceLimits(traffic: 1),
    ] {
      let error = #expect(throws: MartletError.self) { try plan(limits) }
      #expect(error?.code == .invalidArgument)
      #expect(error?.description.contains("minimum") == true)
    }
  }
}
