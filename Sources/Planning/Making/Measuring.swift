package import Evaluation
package import Foundations
import Glibc
package import Plan
package import Resilience

/// How planning computes over images: on some threads, with progress, until somebody stops it.
package struct Measuring: Sendable {
  /// Is told how much of a total is done.
  package typealias Watch = @Sendable (_ done: Int) -> Void
  /// Begins to watch something, by its name and total.
  package typealias Progress = @Sendable (_ what: String, _ total: Int, _ note: String) -> Watch

  /// How many compute at once.
  package let threads: Int
  /// Whether somebody asked to stop.
  package let isStopped: @Sendable () -> Bool
  private let progress: Progress

  /// - Parameters:
  ///   - threads: all processors if nil.
  ///   - isStopped: asked from several threads.
  ///   - progress: called from several threads.
  package init(
    threads: Int?, isStopped: @escaping @Sendable () -> Bool = { false },
    progress: @escaping Progress = { _, _, _ in { _ in } }
  ) {
    self.threads = threads ?? min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 256)
    self.isStopped = isStopped
    self.progress = progress
  }

  /// - Throws: `cancelled` if somebody asked to stop.
  package func check() throws(MartletError) {
    if isStopped() { throw MartletError(.cancelled, "stopped") }
  }

  /// Begins to watch something.
  package func watch(_ what: String, _ total: Int, note: String = "") -> Watch {
    progress(what, total, note)
  }

  /// The images that can be read.
  ///
  /// - Parameter unreadable: called with the name of each that cannot, and the reason.
  package func readable(
    _ images: LabelledImages, unreadable: (String, MartletError) -> Void
  ) throws(MartletError) -> LabelledImages {
    let shown = watch("reading image", images.count)
    return try images.readable(
      progress: { done throws(MartletError) in
        try check()
        shown(done)
      }, unreadable: unreadable)
  }

  /// What stands in for lost channels of the model's points.
  ///
  /// - Parameters:
  ///   - images: to measure with; asked for only where the kind needs them.
  ///   - what: what is counted in the line of progress.
  package func fill(
    _ kind: Plan.Fill.Kind, of model: MaskedModel, what: String,
    images: () throws(MartletError) -> LabelledImages
  ) throws(MartletError) -> Plan.Fill {
    guard kind.needsImages else { return Plan.Fill(kind) }
    let images = try images()
    let shown = watch(what, images.count)
    let elements = model.inputCounts[0]
    let constants = try model.constants(
      of: kind, count: images.count, threads: threads, progress: { shown($0) },
      isStopped: isStopped
    ) { index throws(MartletError) in try images.load(index, elements: elements) }
    return Plan.Fill(kind, constants: constants)
  }

  /// Classifies all images under all failure sets of a study.
  package func run(
    _ study: FailureStudy, _ images: LabelledImages, keepsPredictions: Bool = false
  ) throws(MartletError) -> FailureStudy.Result {
    let shown = watch(
      "image", images.count, note: ", \(study.distinctMasks) different outcomes each")
    return try study.run(
      images, threads: threads, keepsPredictions: keepsPredictions,
      progress: { shown($0.images) }, isStopped: isStopped)
  }

  /// Classifies all images in the frame in which each failure set of a study dies.
  ///
  /// - Parameter makeFrame: called once on each thread.
  package func run(
    _ study: LossStudy, _ images: LabelledImages,
    makeFrame: @Sendable () throws(MartletError) -> LossStudy.Frame
  ) throws(MartletError) -> [FailureTable.Row] {
    let shown = watch("frame of the loss: image", images.count)
    return try study.run(
      images, threads: threads, progress: { shown($0) }, isStopped: isStopped,
      makeFrame: makeFrame)
  }

  /// Shows where the search for protection within a budget is.
  func progress(
    _ phase: BudgetPlanner.Phase, images: Int
  ) -> @Sendable (BudgetPlanner.Phase, Int, Int) -> Void {
    let what =
      switch phase {
      case .layers: "each layer alone: image"
      case .plans: "whole plans: image"
      }
    let shown = watch(what, images)
    return { _, done, _ in shown(done) }
  }
}
