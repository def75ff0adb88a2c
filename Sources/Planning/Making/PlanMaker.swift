package import Evaluation
package import Foundations
package import ModelGraph
package import Plan
package import Tensors

/// Makes plans: what `martlet plan` does between reading its options and writing a folder.
package struct PlanMaker: Sendable {
  /// A plan and what was found out about it.
  package struct Made: Sendable {
    /// The plan.
    package var plan: Plan
    /// How it was decided.
    package var result: PlacementResult
  }

  private let method: any PlanningMethod
  private let choices: MethodChoices
  private let fill: Plan.Fill.Kind
  private let division: Division
  private let methods: PlanningMethods
  private let measuring: Measuring
  private let wire: WireChoice?
  private let weights: WeightType

  /// Prepares a method.
  ///
  /// - Parameters:
  ///   - options: the method's, as texts by name.
  ///   - strips: what is divided by rows before neurons are placed.
  ///   - pairs: what pairs of layers are divided by their hidden neurons.
  ///   - wire: how parts are to travel; the plan does not say if nil.
  ///   - weights: how weights are to be stored. What is measured is measured with the weights of the
  ///     graph that is planned; see `Graph.roundingWeights`.
  ///   - methods: the method and those that it may be compared with.
  /// - Throws: what `MethodChoices` throws; `invalidArgument` for a fill that does not go with the
  ///   method.
  package init(
    _ method: any PlanningMethod, options: [String: String] = [:], fill: Plan.Fill.Kind = .zero,
    strips: StripWish = .none, pairs: PairWish = .none, wire: WireChoice? = nil,
    weights: WeightType = .f32,
    methods: PlanningMethods = .standard,
    measuring: Measuring = Measuring(threads: nil)
  ) throws(MartletError) {
    guard !fill.needsImages || method.abilities.takesMeans else {
      let names = methods.with(\.takesMeans).map(\.name).joined(separator: " and ")
      throw MartletError(.invalidArgument, "--fill \(fill.rawValue) is for --method \(names)")
    }
    self.method = method
    self.fill = fill
    division = Division(strips: strips, pairs: pairs)
    choices = try MethodChoices(options, for: method, among: methods)
    self.methods = methods
    self.measuring = measuring
    self.wire = wire
    self.weights = weights
  }

  /// Whether it asks for images.
  package var needsImages: Bool {
    method.abilities.needsImages || fill.needsImages || wire == .auto
  }

  /// That devices can be fed with what a model takes: one input.
  ///
  /// - Throws: `unsupported`, naming the inputs.
  package static func checkInputs(of graph: Graph) throws(MartletError) {
    guard graph.inputs.count != 1 else { return }
    throw MartletError(
      .unsupported,
      graph.inputs.isEmpty
        ? "a model without an input cannot be planned"
        : "only models with one input can be planned: devices are fed one tensor a frame",
      context: [
        "model": graph.name,
        "inputs": graph.inputs.isEmpty
          ? "none"
          : graph.inputs.prefix(8).map { "\(graph[$0].name) \(graph[$0].shape)" }
            .joined(separator: ", "),
      ],
      hint: graph.inputs.isEmpty
        ? nil : "make inputs that never change initialisers, or join them into one and split it")
  }

  /// The devices, and what is split among them.
  ///
  /// - Throws: `invalidArgument` for wishes that the method cannot meet, `unsupported` for a model
  ///   with another number of inputs than one.
  package func layout(of graph: Graph, wishes: DeviceWishes) throws(MartletError) -> PlanLayout {
    try PlanMaker.checkInputs(of: graph)
    return try division.apply(
      to: try method.layout(of: graph, wishes: wishes, choices: choices), graph: graph)
  }

  /// Plans a model.
  ///
  /// - Parameter images: to measure with, and to take means of; asked for only where needed.
  /// - Throws: what the method throws; `invalidArgument` for shares that do not go with it.
  package func make(
    _ context: PlacingContext,
    images: @escaping () throws(MartletError) -> LabelledImages = {
      () throws(MartletError) in
      throw MartletError(.invalidArgument, "there are no calibration images")
    }
  ) throws(MartletError) -> Made {
    try requireShares(context)
    let (measuring, fill) = (measuring, fill)
    let request = PlacementRequest(
      context: context, choices: choices, methods: methods, measuring: measuring
    ) {
      () throws(MartletError) in
      try CalibratedModel(
        context, images: try images(), fill: fill, measuring: measuring)
    }
    var result = try method.place(request)
    for text in context.sharding.divisionTexts(of: context.graph) {
      result.description += ", " + text
    }
    let plan = try context.plan(result.placements, method: result.description).storing(weights)
    guard fill.needsImages else {
      return Made(plan: try travelling(plan, context, images), result: result)
    }
    let filled = try context.plan(
      result.placements, method: result.description,
      fill: try measuredFill(for: plan, context, images)
    ).storing(weights)
    return Made(plan: try travelling(filled, context, images), result: result)
  }

  /// The plan with what it says of the types of parts.
  private func travelling(
    _ plan: Plan, _ context: PlacingContext, _ images: () throws(MartletError) -> LabelledImages
  ) throws(MartletError) -> Plan {
    guard let wire else { return plan }
    if let type = wire.type { return try plan.travelling(as: plan.exchanges.map { _ in type }) }
    try context.model.head?.requireOneOfMany(for: "--wire auto")
    let search = try WireSearch(
      plan, graph: context.graph, images: try images(), measuring: measuring)
    return try plan.travelling(as: try search.types())
  }

  private func requireShares(_ context: PlacingContext) throws(MartletError) {
    let shares = context.shares
    guard !method.abilities.takesShares, !shares.allSatisfy({ $0 == shares[0] }) else { return }
    let others = methods.with(\.takesShares).map(\.name)
    throw MartletError(
      .invalidArgument, "\(method.name) deals equal shares to all devices",
      hint: "leave --shares out, or use one of " + others.joined(separator: ", "))
  }

  /// What stands in for each channel that is exchanged.
  private func measuredFill(
    for plan: Plan, _ context: PlacingContext, _ images: () throws(MartletError) -> LabelledImages
  ) throws(MartletError) -> Plan.Fill {
    let gathered = plan.exchanges.filter(\.takesConstants)
    let model = try MaskedModel(
      batching: context.graph,
      points: gathered.map { ChannelPoint(value: $0.value, axis: $0.axis) })
    let measured = try measuring.fill(
      fill, of: model, what: "\(fill.rawValue) over image", images: images)
    guard var constants = measured.constants?[...] else { return measured }
    return Plan.Fill(
      fill, constants: plan.exchanges.map { $0.takesConstants ? constants.removeFirst() : [] })
  }
}
