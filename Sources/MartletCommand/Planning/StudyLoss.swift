import ArgumentParser
import Engine
import Evaluation
import Foundations
import ModelGraph
import Plan
import Planning
import Resilience
import Tensors

/// Whether and how `martlet study` looks at the frame in which devices die.
struct StudyLossOptions: ParsableArguments {
  @Flag(
    name: .customLong("at-loss"),
    help: ArgumentHelp(
      "Also study the frame in which devices die.",
      discussion: """
        Else the figures are of later frames, which everybody computes knowing who is there. In the \
        frame of the loss everybody still counts on the dead: nobody stands in for them, unless copies \
        are always active, and rows of theirs are made up. It is computed as the devices do, image by \
        image, which takes longer.
        """))
  var isStudied = false

  @OptionGroup var copies: ReplicaOptions

  @Option(
    help: """
      With --at-loss, what stands in for lost rows: \(StudyLossOptions.names); devices take the \
      \(Plan.RowFill.standard.rawValue).
      """)
  var rowFill: Plan.RowFill?

  private static let names = Plan.RowFill.allCases.map(\.rawValue).joined(separator: ", ")

  func validate() throws {
    guard isStudied || (rowFill == nil && copies.replicas == .standby) else {
      throw ValidationError("--row-fill and --replicas active need --at-loss")
    }
  }

  /// A plan's table with what the frame of the loss costs.
  ///
  /// - Parameters:
  ///   - folder: the plan's.
  ///   - fill: what stands in for lost neurons; the plan's own fill if nil.
  ///   - wire: how parts travel; as the plan says if nil.
  func study(
    _ subject: FailureStudy.Subject, of folder: PlanFolder, fill: Plan.Fill?, wire: WireChoice?,
    _ run: StudyRun, _ images: LabelledImages, table: FailureTable
  ) throws(MartletError) -> FailureTable {
    let plan = try run.filled(folder.plan, with: fill)
    let (rowFill, replicas) = (rowFill ?? .standard, copies.replicas)
    // A frame whose device dies goes to another one.
    if plan.dispatchesFrames, replicas == .standby {
      return try table.adding(.init(replicas: replicas, rowFill: rowFill, rows: table.rows))
    }
    func engines(_ device: Int?) throws(MartletError) -> DeviceEngines {
      try DeviceEngines(
        plan: plan, device: device, constants: try folder.constants(device: device),
        rowFill: rowFill)
    }
    let devices = try plan.devices.indices.map { device throws(MartletError) in
      try engines(device)
    }
    let client = try engines(nil)
    let attendance = Attendance.everyone(plan.devices.count, replicas: replicas)
    let shape = plan.graph.inputs.first.map { plan.graph[$0].shape } ?? []
    let rows = try run.studyLoss(subject, of: plan, images) { () throws(MartletError) in
      // One working memory for each thread; all share the weights.
      let cluster = LocalCluster(
        devices: devices, client: client, wire: wire?.type?.elementType)
      return { input, failed throws(MartletError) in
        let frame = try cluster.run(
          [Tensor(shape, input)], losing: Set(failed), replicas: replicas)
        return LossStudy.Outcome(
          scores: frame.outputs.first?.floats ?? [],
          lostNeurons: frame.missing.lostNeurons(of: plan, attendance: attendance))
      }
    }
    return try table.adding(.init(replicas: replicas, rowFill: rowFill, rows: rows))
  }
}

extension Plan.RowFill: ExpressibleByArgument {}
