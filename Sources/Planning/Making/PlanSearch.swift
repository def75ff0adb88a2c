package import Evaluation
package import Foundations
package import ModelGraph
package import Plan
import Tensors

/// Makes the plan that was ordered, looking for the best one where that is what the order says.
package struct PlanSearch {
  /// Images to measure with, for what is placed; asked for only where needed.
  package typealias Images = (PlacingContext) throws(MartletError) -> LabelledImages
  /// The model to predict with for devices of these names, in order; asked for only where needed.
  package typealias Cost = ([String]) throws(MartletError) -> CostModel

  /// With the weights that devices will compute with, by which everything is measured.
  private let graph: Graph
  /// How these are stored.
  private let weights: WeightType
  private let model: Plan.Model
  private let wishes: DeviceWishes
  private let order: PlanOrder
  private let measuring: Measuring
  private let images: Images?

  /// Prepares a search.
  ///
  /// - Parameters:
  ///   - graph: the model with its weights.
  ///   - model: what is said of it in a plan.
  ///   - wishes: what was said about the devices.
  ///   - images: asked for here already where they decide how weights are stored; nil if there are none.
  /// - Throws: `resourceExhausted` without memory for weights that are rounded; `unsupported` for weights
  ///   to be chosen by the classes of a model that has none; what `images` throws.
  package init(
    _ order: PlanOrder, graph: Graph, model: Plan.Model, wishes: DeviceWishes, measuring: Measuring,
    images: Images?
  ) throws(MartletError) {
    self.order = order
    weights = try PlanSearch.weights(order, graph, model, measuring, images)
    self.graph = try graph.roundingWeights(to: weights)
    self.model = model
    self.wishes = wishes
    self.measuring = measuring
    self.images = images
  }

  private static func weights(
    _ order: PlanOrder, _ graph: Graph, _ model: Plan.Model, _ measuring: Measuring,
    _ images: Images?
  ) throws(MartletError) -> WeightType {
    if let type = order.weights.type { return type }
    guard let images else {
      return try WeightChoice.best(for: graph, images: nil, measuring: measuring)
    }
    try model.head?.requireOneOfMany(for: "--weights auto")
    // Images do not depend on how a model is divided.
    let layout = PlanLayout(devices: [Plan.Device(name: "d0")], sharding: try Sharding(graph))
    return try WeightChoice.best(
      for: graph, images: try images(PlacingContext(graph: graph, model: model, layout: layout)),
      measuring: measuring)
  }

  /// The plan, and what is predicted of it and of those it was compared with.
  ///
  /// - Parameter isPredicted: whether a prediction is wanted of an order that can do without.
  /// - Returns: no comparison where nothing was predicted.
  /// - Throws: what the method throws; `invalidArgument` for an order or devices that cannot be;
  ///   `unsupported` when no method makes a plan; `cancelled`; what `images` and `cost` throw.
  package func plan(
    isPredicted: Bool, cost: Cost
  ) throws(MartletError) -> (made: PlanMaker.Made, comparison: PlanComparison?) {
    guard let method = order.method else { return try best(cost) }
    var division = order.division
    if order.needsPrediction {
      let cost = try cost(try names())
      if division.strips == .auto { division.strips = try bestStrips(cost) }
      if division.pairs == .auto {
        division.pairs = try bestPairs(behind: division.strips, cost)
      }
      return try compared(try make(method, order.options, division: division), cost)
    }
    let made = try make(method, order.options, division: division)
    guard isPredicted else { return (made, nil) }
    return try compared(made, try cost(made.plan.devices.map(\.name)))
  }

  private func compared(
    _ made: PlanMaker.Made, _ cost: CostModel
  ) throws(MartletError) -> (PlanMaker.Made, PlanComparison?) {
    var comparison = PlanComparison(cost)
    comparison.add(made.result.description, made)
    return (made, comparison)
  }

  /// The best plan of all methods that need nothing but devices.
  private func best(_ cost: Cost) throws(MartletError) -> (PlanMaker.Made, PlanComparison?) {
    try order.checkOptions()
    let names = try names()
    let cost = try cost(names)
    let comparison = try PlanComparison(
      cost, divisions: try divisions(cost), devices: names.count
    ) { method, options, division throws(MartletError) in
      try make(method, options, division: division, names: names)
    }
    guard let best = comparison.best(for: order.goal) else {
      throw MartletError(
        .unsupported, "no method makes a plan of this model for these devices",
        hint: comparison.leftOut.map { "\($0.name): \($0.reason)" }.joined(separator: "; "))
    }
    return (best.made, comparison)
  }

  /// The ways to divide that are tried with every method: those that were ordered, or with and without
  /// what is predicted to be best.
  private func divisions(_ cost: CostModel) throws(MartletError) -> [Division] {
    var fronts = [order.strips ?? .none]
    if order.strips == nil || order.strips == .auto {
      fronts = [.none, try bestStrips(cost)]
      if fronts[1] == .chosen(nil) { fronts.removeLast() }
    }
    var divisions: [Division] = []
    for front in fronts {
      divisions.append(Division(strips: front, pairs: order.pairs ?? .none))
      guard order.pairs == nil || order.pairs == .auto else { continue }
      divisions[divisions.count - 1].pairs = .none
      let pairs = try bestPairs(behind: front, cost)
      if pairs != .chosen([]) { divisions.append(Division(strips: front, pairs: pairs)) }
    }
    return divisions
  }

  private func names() throws(MartletError) -> [String] { try wishes.devices().map(\.name) }

  /// A plan by a method.
  ///
  /// - Parameter names: the devices' names, where they are the same for all methods.
  private func make(
    _ method: any PlanningMethod, _ options: [String: String], division: Division,
    names: [String]? = nil
  ) throws(MartletError) -> PlanMaker.Made {
    try measuring.check()
    let maker = try order.maker(
      method, options, division: division, weights: weights, measuring: measuring)
    let wishes = names.map { DeviceWishes(names: $0, shares: self.wishes.shares) } ?? self.wishes
    let layout = try maker.layout(of: graph, wishes: wishes)
    try Plan.checkNewNames(layout.devices)
    let context = PlacingContext(graph: graph, model: model, layout: layout)
    let images = images
    return try maker.make(context) { () throws(MartletError) in
      guard let images else {
        throw MartletError(
          .invalidArgument, "this method, or its fill or wire, needs calibration images",
          context: ["method": method.name])
      }
      return try images(context)
    }
  }

  /// The front that a cost model finds best to divide by rows.
  private func bestStrips(_ cost: CostModel) throws(MartletError) -> StripWish {
    .chosen(try StripSearch(graph, price: try price(cost)).best())
  }

  /// The pairs behind a front that a cost model finds best to divide by hidden neurons.
  private func bestPairs(
    behind front: StripWish, _ cost: CostModel
  ) throws(MartletError) -> PairWish {
    .chosen(
      try PairSearch(graph, price: try price(cost)).best(behind: try front.strips(of: graph)))
  }

  private func price(_ cost: CostModel) throws(MartletError) -> PlacementPrice {
    let measuring = measuring
    return PlacementPrice(
      graph, model: model, devices: try wishes.devices(), wire: order.wire?.type, cost: cost,
      goal: order.goal
    ) { () throws(MartletError) in try measuring.check() }
  }
}
