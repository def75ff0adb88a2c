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
    /// - Parameter names: the devices' names, where they are the same for all methods.
    func make(
      _ method: any PlanningMethod, _ options: [String: String], names: [String]? = nil
    ) throws(MartletError) -> PlanMaker.Made {
      try stopped.check()
      let maker = try arguments.maker(method, options, stopped: stopped)
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
  }
}
