package import Evaluation
package import Foundations
import ModelGraph
package import Plan

/// What a planning method is asked.
package struct PlacementRequest {
  /// The model and the devices.
  package let context: PlacingContext
  /// The method's options.
  package let choices: MethodChoices
  /// The methods there are, for a method that chooses among others.
  package let methods: PlanningMethods
  /// How to compute over images.
  package let measuring: Measuring
  /// The model as it loses neurons, with images to measure with; made when a method asks.
  package let calibration: () throws(MartletError) -> CalibratedModel

  /// Asks for a placement.
  ///
  /// - Parameter calibration: for methods that need images; they get an error from it otherwise.
  package init(
    context: PlacingContext, choices: MethodChoices = MethodChoices(),
    methods: PlanningMethods = .standard, measuring: Measuring = Measuring(threads: 1),
    calibration: @escaping () throws(MartletError) -> CalibratedModel = {
      () throws(MartletError) in
      throw MartletError(.invalidArgument, "the method needs calibration images")
    }
  ) {
    self.context = context
    self.choices = choices
    self.methods = methods
    self.measuring = measuring
    self.calibration = calibration
  }

  /// The same with further options of a method.
  func adding(
    _ options: [String: String], for method: any PlanningMethod
  ) throws(MartletError) -> PlacementRequest {
    PlacementRequest(
      context: context, choices: try choices.adding(options, for: method, among: methods),
      methods: methods, measuring: measuring, calibration: calibration)
  }

  // What methods ask most.

  var graph: Graph { context.graph }
  var devices: Int { context.devices.count }
  var shares: [Double] { context.shares }
  var layers: [LayerTraits] { context.traits }
}

/// A model that can lose neurons, and the images by which a loss is judged.
package struct CalibratedModel: Sendable {
  /// Where lost neurons are missed.
  package let values: [ExchangedValue]
  /// With points at `values`.
  package let model: MaskedModel
  /// Their labels are not used.
  package let images: LabelledImages
  /// What stands in for lost neurons.
  package let fill: Plan.Fill

  /// Prepares a model, decodes the images, and measures what is to stand in.
  ///
  /// - Throws: what reading images throws; `cancelled`.
  package init(
    _ context: PlacingContext, images: LabelledImages, fill: Plan.Fill.Kind, measuring: Measuring
  ) throws(MartletError) {
    values = ExchangedValue.all(of: context.graph, context.sharding)
    model = try MaskedModel(batching: context.graph, points: values.map(\.point), largest: 8)
    let decoded = try images.decoded(elements: model.inputCounts[0])
    self.images = decoded
    self.fill = ExchangedValue.fill(
      try measuring.fill(fill, of: model, what: "calibration image") {
        () throws(MartletError) in decoded
      }, of: values)
  }
}
