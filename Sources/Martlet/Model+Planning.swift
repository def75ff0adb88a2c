import Evaluation
import Foundations
import ModelGraph
import Plan
import Planning

/// Images that a computation measures with; their labels do not matter.
public struct CalibrationImages: Sendable, Hashable {
  /// Files, folders and tar archives. They should not be those that accuracy is measured with.
  public var paths: [String]
  /// Use at most this many of the images, evenly chosen.
  public var limit: Int

  /// At most 64 images unless told otherwise.
  public init(_ paths: [String], limit: Int = 64) {
    self.paths = paths
    self.limit = limit
  }
}

/// What stands in for neurons that are lost.
public enum Fill: String, Sendable, CaseIterable {
  /// Zero.
  case zero
  /// Each channel's mean over calibration images.
  case mean

  var kind: Plan.Fill.Kind {
    switch self {
    case .zero: .zero
    case .mean: .mean
    }
  }
}

extension Model {
  /// Divides the model over devices.
  ///
  /// Simple methods take milliseconds; those that measure, such as `budget`, take as long as running
  /// the calibration images some hundred times. It runs on threads of its own and ends soon when the
  /// task is cancelled.
  ///
  /// - Parameters:
  ///   - devices: how many there are, or their names.
  ///   - method: the name of one of ``PlanningMethod/all``, or ``PlanningMethod/automatic`` for whichever
  ///     is predicted to be best of those that need nothing but devices.
  ///   - options: the method's, as texts by name; see ``PlanningMethod/options``.
  ///   - fill: what stands in for what is lost.
  ///   - strips: what is divided by rows; if nil nothing, and with ``PlanningMethod/automatic`` whichever is
  ///     better, nothing or what is predicted to be best.
  ///   - pairs: what pairs of layers are divided by their hidden neurons; nil as for strips.
  ///   - wire: how parts are to travel; the plan does not say if nil, and they travel exactly then.
  ///   - weights: how weights are stored; what is measured is measured with them. A layer that the format
  ///     cannot hold stays float32.
  ///   - conditions: what to predict with; without them nothing can be automatic but the wire, and
  ///     ``PlanDraft/forecast`` is nil.
  ///   - calibration: for methods that measure with images, for ``Fill/mean``,
  ///     ``PlannedWire/automatic`` and ``PlannedWeights/automatic``; an image that cannot be read is passed over.
  ///   - threads: how many measure at once; all processors if nil.
  ///   - progress: called from any thread.
  /// - Returns: a plan that is not on disk yet.
  /// - Throws: ``MartletError``: `invalidArgument` for a method, option or device that cannot be,
  ///   `unsupported` for a model that the method does not divide, `notFound` or `invalidFile` for
  ///   images, `resourceExhausted`, `cancelled`.
  public func plan(
    for devices: DeviceRequest, method: String = PlanningMethod.usual,
    options: [String: String] = [:], fill: Fill = .zero, strips: RowStrips? = nil,
    pairs: LayerPairs? = nil, wire: PlannedWire? = nil,
    weights: PlannedWeights = .fixed(.float32), conditions: PlanConditions? = nil,
    calibration: CalibrationImages? = nil, threads: Int? = nil,
    progress: WorkProgress.Handler? = nil
  ) async throws(MartletError) -> PlanDraft {
    let (graph, about) = (graph, about)
    return try await DedicatedThread.compute {
      isStopped throws(Foundations.MartletError) in
      let measuring = Measuring(threads: threads, isStopped: isStopped, progress: progress)
      let isAutomatic = method == PlanningMethods.automatic
      var order = PlanOrder(isAutomatic ? nil : try PlanningMethods.standard.named(method))
      order.options = options
      order.fill = fill.kind
      order.strips = strips?.wish
      order.pairs = pairs?.wish
      order.wire = wire?.choice
      order.weights = weights.choice
      order.goal = conditions?.goal.goal ?? .latency
      var images: PlanSearch.Images?
      if let calibration {
        images = { context throws(Foundations.MartletError) in
          try measuring.readable(
            try context.calibrationImages(calibration.paths, limit: calibration.limit)
          ) { _, _ in }
        }
      }
      let search = try PlanSearch(
        order, graph: graph, model: about, wishes: devices.wishes, measuring: measuring,
        images: images)
      let (made, comparison) = try search.plan(isPredicted: conditions != nil) {
        names throws(Foundations.MartletError) in
        guard let conditions else {
          throw Foundations.MartletError(
            .invalidArgument, "nothing is known of the devices that could be predicted with",
            context: ["method": method],
            hint: "give conditions, with files of martlet bench device")
        }
        return try conditions.cost(of: names)
      }
      try measuring.check()
      return PlanDraft(
        plan: made.plan, graph: graph, figures: PlanFigures(made.plan, made.result),
        forecast: comparison.flatMap { PlanForecast($0, for: order.goal) })
    }
  }
}
