import Foundations
import ModelGraph
import Plan
import Planning

extension PlanCommand {
  /// What plans are made of: a model, devices, and calibration images that are read once for all.
  final class PlanInputs {
    let graph: Graph
    let model: Plan.Model
    let wishes: DeviceWishes
    let arguments: MethodArguments
    let stopped: StopFlag
    /// The calibration images that could not be read.
    let unreadable = UnreadableImages()

    init(
      graph: Graph, model: Plan.Model, wishes: DeviceWishes, arguments: MethodArguments,
      stopped: StopFlag
    ) {
      self.graph = graph
      self.model = model
      self.wishes = wishes
      self.arguments = arguments
      self.stopped = stopped
    }

    /// A plan by a method.
    ///
    /// - Parameters:
    ///   - strips: those that were asked for if nil.
    ///   - names: the devices' names, where they are the same for all methods.
    func make(
      _ method: any PlanningMethod, _ options: [String: String], strips: StripWish? = nil,
      names: [String]? = nil
    ) throws(MartletError) -> PlanMaker.Made {
      try stopped.check()
      let maker = try arguments.maker(method, options, strips: strips, stopped: stopped)
      let wishes =
        names.map { DeviceWishes(names: $0, shares: self.wishes.shares) } ?? self.wishes
      let layout = try maker.layout(of: graph, wishes: wishes)
      try Plan.checkNewNames(layout.devices)
      let context = PlacingContext(graph: graph, model: model, layout: layout)
      let (arguments, stopped, unreadable) = (arguments, stopped, unreadable)
      return try maker.make(context) { () throws(MartletError) in
        try Measuring(threads: arguments.threads, stopped: stopped).readable(
          try context.calibrationImages(
            arguments.calibration, limit: arguments.calibrationLimit), unreadable)
      }
    }

    /// The front that a cost model finds best to divide by rows.
    func bestStrips(_ cost: CostModel, goal: PlanGoal) throws(MartletError) -> StripWish {
      let stopped = stopped
      return .chosen(
        try StripSearch(
          graph, model: model, devices: try wishes.devices(), wire: arguments.wire?.type,
          cost: cost,
          goal: goal
        ) { () throws(MartletError) in try stopped.check() }.best())
    }
  }
}
