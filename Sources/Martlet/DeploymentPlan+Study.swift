import Engine
import Evaluation
import Foundations
import Imaging
import Plan
import Planning
import Resilience
import Synchronization
import TensorFiles
import Tensors

/// What stands in for rows of an image that are lost, in the one frame in which that happens.
public enum RowFill: String, Sendable, CaseIterable {
  /// Zero.
  case zero
  /// Column by column, the mean of the rows that came.
  case mean
  /// The nearest row that came.
  case nearest

  var kind: Plan.RowFill {
    switch self {
    case .zero: .zero
    case .mean: .mean
    case .nearest: .nearest
    }
  }
}

extension DeploymentPlan {
  /// Finds out how much accuracy is left when devices fail: classifies labelled images without each set
  /// of devices, in this process and without a broker. It runs on threads of its own and ends soon when
  /// the task is cancelled.
  ///
  /// - Parameters:
  ///   - model: the one that the plan was made from.
  ///   - images: folders and tar archives of labelled images: a `labels.tsv` with the columns `file`
  ///     and `label`, or a subfolder for each class. What cannot be read is passed over; see
  ///     ``AccuracyStudy/unreadable``.
  ///   - failures: the most devices that fail together.
  ///   - wire: how parts travel; if nil as the plan says, and exactly where it says nothing.
  ///   - isAtLoss: whether to study the frame in which the devices die, too, in which everybody still
  ///     counts on them: see ``AccuracyStudy/outcomesAtLoss``. It takes longer.
  ///   - rowFill: what stands in for lost rows in that frame. Devices take zeros.
  ///   - usesActiveReplicas: whether copies and parity are there in that frame all the same; see
  ///     ``InferenceSession/Options/usesActiveReplicas``.
  ///   - limit: use at most this many images, evenly chosen; all if nil.
  ///   - threads: how many compute at once; all processors if nil.
  ///   - saves: whether to keep the result in the plan's folder, where sessions, workers and gateways
  ///     find it.
  ///   - progress: called from any thread.
  /// - Throws: ``MartletError``: `mismatch` for another model or labels that are no classes,
  ///   `unsupported` for a model without images or without one right class, `notFound` or `invalidFile`
  ///   for images, `invalidArgument` for too many failures, `cancelled`.
  public func study(
    _ model: Model, images: [String], failures: Int = 3, wire: WireFormat? = nil,
    atLoss isAtLoss: Bool = false, rowFill: RowFill = .zero, usesActiveReplicas: Bool = false,
    limit: Int? = nil, threads: Int? = nil, saves: Bool = true,
    progress: WorkProgress.Handler? = nil
  ) async throws(MartletError) -> AccuracyStudy {
    let folder = folder
    return try await DedicatedThread.compute {
      isStopped throws(Foundations.MartletError) in
      guard folder.plan.model.sha256 == model.about.sha256, folder.plan.isOf(model.graph) else {
        throw Foundations.MartletError(
          .mismatch, "the plan was made from another model",
          context: ["plan": folder.path, "model": model.name, "planned": folder.plan.model.name],
          hint: "give the model that the plan was made from, with the same options")
      }
      let measuring = Measuring(threads: threads, isStopped: isStopped, progress: progress)
      let run = try StudyRun(folders: [folder], graph: model.graph, measuring: measuring)
      let sets = try run.failureSets { _ in failures }
      var unreadable: [String] = []
      let images = try run.images(
        images, labelling: try folder.plan.labelling(), limit: limit
      ) { name, _ in unreadable.append(name) }
      let wire = wire.map { PlannedWire.fixed($0).choice }
      let subjects = try run.subjects(sets, fill: nil, wire: wire)
      var table = try run.study(subjects, images, keepsPredictions: false).tables[0]
      if isAtLoss {
        let (replicas, rowFill) = (usesActiveReplicas ? Replicas.active : .standby, rowFill.kind)
        table = try run.addLoss(
          to: table, subjects[0], of: folder, fill: nil, replicas: replicas, rowFill: rowFill,
          images
        ) { plan throws(Foundations.MartletError) in
          let frames = try LossFrames(
            plan, of: folder, wire: wire?.type?.elementType, rowFill: rowFill, replicas: replicas)
          return { () throws(Foundations.MartletError) in
            let run = frames.runner()
            return { input, failed throws(Foundations.MartletError) in
              let (scores, lostNeurons) = try run(input, failed)
              return LossStudy.Outcome(scores: scores, lostNeurons: lostNeurons)
            }
          }
        }
      }
      try measuring.check()
      if saves {
        try FileSystem.write(
          try table.encoded(), to: folder.path + "/" + PlanFolder.studyName)
      }
      return AccuracyStudy(table, unreadable: unreadable)
    }
  }
}
