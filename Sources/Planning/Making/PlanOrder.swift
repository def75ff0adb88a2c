package import Foundations
package import Plan
import Tensors

/// What a plan is asked to be: made by a method that is named, or by the one that is predicted to be best.
package struct PlanOrder: Sendable {
  /// Nil for whichever is predicted to be best.
  package var method: (any PlanningMethod)?
  /// The method's, as texts by name.
  package var options: [String: String] = [:]
  /// What stands in for lost neurons.
  package var fill = Plan.Fill.Kind.zero
  /// What is divided by rows; if nil, nothing where a method is named, and else both nothing and what is
  /// predicted to be best.
  package var strips: StripWish?
  /// What pairs of layers are divided by hidden neurons; nil as for strips.
  package var pairs: PairWish?
  /// How parts are to travel; the plan does not say if nil.
  package var wire: WireChoice?
  /// How the weights of layers are to be stored.
  package var weights = WeightChoice.f32
  /// What the best is best at.
  package var goal = PlanGoal.latency

  /// A plan by a method, or by the best one if nil, without anything else.
  package init(_ method: (any PlanningMethod)?) { self.method = method }

  /// Whether nothing can be decided without a prediction.
  package var needsPrediction: Bool {
    method == nil || strips == .auto || pairs == .auto
  }

  /// Whether images are needed to plan.
  ///
  /// - Throws: `invalidArgument` for options that do not go with the method, or with none.
  package func needsImages() throws(MartletError) -> Bool {
    if let method {
      return try maker(method, options, division: division, measuring: Measuring(threads: 1))
        .needsImages
    }
    try checkOptions()
    return fill.needsImages || wire == .auto
  }

  /// What is to be divided by rows and in pairs, as far as that is said.
  var division: Division { Division(strips: strips ?? .none, pairs: pairs ?? .none) }

  /// - Throws: `invalidArgument` for options without a method.
  func checkOptions() throws(MartletError) {
    guard method == nil, let name = options.keys.min() else { return }
    throw MartletError(
      .invalidArgument, "--\(name) goes with one method, and --method auto tries all")
  }

  /// Whoever makes the plan by a method.
  ///
  /// - Parameter stored: what `weights` comes to.
  func maker(
    _ method: any PlanningMethod, _ options: [String: String], division: Division,
    weights stored: WeightType = .f32, measuring: Measuring
  ) throws(MartletError) -> PlanMaker {
    try PlanMaker(
      method, options: options, fill: fill, strips: division.strips, pairs: division.pairs,
      wire: wire, weights: stored, measuring: measuring)
  }
}
