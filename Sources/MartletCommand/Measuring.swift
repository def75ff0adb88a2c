import Evaluation
import Glibc
import Planning
import TensorCore

/// How commands compute over images: on some threads, with progress, until the user stops it.
struct Measuring {
  let threads: Int
  private let stopped: StopFlag

  /// - Parameter threads: all processors if nil.
  init(threads: Int?, stopped: StopFlag) {
    self.threads = threads ?? min(max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1), 256)
    self.stopped = stopped
  }

  var isStopped: @Sendable () -> Bool {
    let stopped = stopped
    return { stopped.signal != nil }
  }

  /// Throws if the user asked to stop.
  func check() throws(MartletError) { try stopped.check() }

  /// The images that can be read; the others are named.
  func readable(
    _ images: LabelledImages, _ unreadable: UnreadableImages
  ) throws(MartletError) -> LabelledImages {
    let watch = ProgressWatch("reading image", total: images.count)
    return try images.readable(
      progress: { done throws(MartletError) in
        try check()
        watch.show(done)
      }, unreadable: { unreadable.note($0, $1) })
  }

  /// The mean of each channel of the model's points.
  ///
  /// - Parameter what: what is counted in the line of progress.
  func means(
    of model: MaskedModel, _ images: LabelledImages, what: String
  ) throws(MartletError) -> [[Float]] {
    let watch = ProgressWatch(what, total: images.count)
    let elements = model.inputCounts[0]
    return try ChannelMeans.of(
      model, count: images.count, threads: threads, progress: { watch.show($0) },
      isStopped: isStopped
    ) { index throws(MartletError) in try images.load(index, elements: elements) }
  }

  /// Classifies all images under all failure sets of a study.
  func run(
    _ study: FailureStudy, _ images: LabelledImages, keepsPredictions: Bool = false
  ) throws(MartletError) -> FailureStudy.Result {
    let watch = ProgressWatch(
      "image", total: images.count, note: ", \(study.distinctMasks) different outcomes each")
    return try study.run(
      images, threads: threads, keepsPredictions: keepsPredictions,
      progress: { watch.show($0.images) }, isStopped: isStopped)
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
    let watch = ProgressWatch(what, total: images)
    return { _, done, _ in watch.show(done) }
  }
}
