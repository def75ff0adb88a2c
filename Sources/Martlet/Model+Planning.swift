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
  ///   - method: the name of one of ``PlanningMethod/all``.
  ///   - options: the method's, as texts by name; see ``PlanningMethod/options``.
  ///   - fill: what stands in for what is lost.
  ///   - calibration: for methods that measure with images, and for ``Fill/mean``; an image that cannot
  ///     be read is passed over.
  ///   - threads: how many measure at once; all processors if nil.
  ///   - progress: called from any thread.
  /// - Returns: a plan that is not on disk yet.
  /// - Throws: ``MartletError``: `invalidArgument` for a method, option or device that cannot be,
  ///   `unsupported` for a model that the method does not divide, `notFound` or `invalidFile` for
  ///   images, `resourceExhausted`, `cancelled`.
  public func plan(
    for devices: DeviceRequest, method: String = PlanningMethod.usual,
    options: [String: String] = [:], fill: Fill = .zero, calibration: CalibrationImages? = nil,
    threads: Int? = nil, progress: WorkProgress.Handler? = nil
  ) async throws(MartletError) -> PlanDraft {
    let (graph, about) = (graph, about)
    return try await DedicatedThread.compute {
      isStopped throws(Foundations.MartletError) in
      let measuring = Measuring(threads: threads, isStopped: isStopped, progress: progress)
      let maker = try PlanMaker(
        try PlanningMethods.standard.named(method), options: options, fill: fill.kind,
        measuring: measuring)
      let layout = try maker.layout(of: graph, wishes: devices.wishes)
      try Plan.checkNewNames(layout.devices)
      let context = PlacingContext(graph: graph, model: about, layout: layout)
      let made = try maker.make(context) { () throws(Foundations.MartletError) in
        guard let calibration else {
          throw Foundations.MartletError(
            .invalidArgument, "this method, or its fill, needs calibration images",
            context: ["method": method, "fill": fill.rawValue])
        }
        return try measuring.readable(
          try context.calibrationImages(calibration.paths, limit: calibration.limit)
        ) { _, _ in }
      }
      try measuring.check()
      return PlanDraft(plan: made.plan, graph: graph, figures: PlanFigures(made.plan, made.result))
    }
  }
}
