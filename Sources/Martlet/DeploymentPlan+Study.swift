import Evaluation
import Foundations
import Imaging
import Plan
import Planning
import Resilience
import Synchronization
import TensorFiles

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
  ///   - limit: use at most this many images, evenly chosen; all if nil.
  ///   - threads: how many compute at once; all processors if nil.
  ///   - saves: whether to keep the result in the plan's folder, where sessions, workers and gateways
  ///     find it.
  ///   - progress: called from any thread.
  /// - Throws: ``MartletError``: `mismatch` for another model or labels that are no classes,
  ///   `unsupported` for a model without images or without one right class, `notFound` or `invalidFile`
  ///   for images, `invalidArgument` for too many failures, `cancelled`.
  public func study(
    _ model: Model, images: [String], failures: Int = 3, limit: Int? = nil, threads: Int? = nil,
    saves: Bool = true, progress: WorkProgress.Handler? = nil
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
      let result = try run.study(
        try run.subjects(sets, fill: nil), images, keepsPredictions: false)
      try measuring.check()
      let table = result.tables[0]
      if saves {
        try FileSystem.write(
          try table.encoded(), to: folder.path + "/" + PlanFolder.studyName)
      }
      return AccuracyStudy(table, unreadable: unreadable)
    }
  }
}
