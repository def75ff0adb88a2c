import Evaluation
import Imaging
import ModelGraph
import Plan
import TensorCore

/// The computing part of `martlet study`: one masked model for all plans.
struct StudyRun {
  private let folders: [PlanFolder]
  private let preprocessing: Preprocessing
  private let values: [ExchangedValue]
  private let model: MaskedModel
  private let threads: Int
  private let stopped: StopFlag

  init(
    folders: [PlanFolder], graph: Graph, threads: Int, stopped: StopFlag
  ) throws(MartletError) {
    let first = folders[0].plan
    guard let preprocessing = first.model.preprocessing, graph.inputs.count == 1 else {
      throw MartletError(
        .unsupported, "the model's input is not an image", context: ["plan": folders[0].path])
    }
    for folder in folders where folder.plan.model.preprocessing != preprocessing {
      throw MartletError(
        .mismatch, "the plans prepare images in different ways",
        context: ["plans": "\(folders[0].path), \(folder.path)"],
        hint: "run martlet plan again with the same --preprocessing")
    }
    values = ExchangedValue.all(of: first.graph, first.sharding)
    model = try MaskedModel(batching: graph, points: values.map(\.point))
    self.folders = folders
    self.preprocessing = preprocessing
    self.threads = threads
    self.stopped = stopped
  }

  /// The failure sets of each plan; `failures` gives the most failures for a number of devices.
  func failureSets(_ failures: (Int) -> Int) throws(MartletError) -> [[[Int]]] {
    var result: [[[Int]]] = []
    for folder in folders {
      let devices = folder.plan.devices.count
      do {
        result.append(try FailureSets.upTo(failures(devices), devices: devices))
      } catch {
        throw error.adding("plan", folder.path)
      }
    }
    return result
  }

  /// What to study of each plan.
  ///
  /// - Parameter fill: what stands in for lost neurons; the plan's own fill if nil.
  func subjects(_ sets: [[[Int]]], fill: ChannelFill?) -> [FailureStudy.Subject] {
    var result: [FailureStudy.Subject] = []
    for (folder, sets) in zip(folders, sets) {
      let plan = folder.plan
      result.append(
        FailureStudy.Subject(
          plan: folder.id, method: plan.method, devices: plan.devices.map(\.name),
          placements: plan.placements, sets: sets, fill: fill ?? plan.channelFill))
    }
    return result
  }

  /// Images named on the command line.
  func images(
    _ paths: [String], labels: LabelNames? = nil, labelled: Bool = true, limit: Int? = nil
  ) throws(MartletError) -> LabelledImages {
    let set = try ImageSet.open(paths: paths, labels: labels)
    if labelled { return try LabelledImages(set, preprocessing: preprocessing, limit: limit) }
    return LabelledImages(unlabelled: set, preprocessing: preprocessing)
  }

  /// The mean of each exchanged channel.
  func means(of images: LabelledImages) throws(MartletError) -> [[Float]] {
    let watch = ProgressWatch("calibration image", total: images.count)
    let elements = model.inputCounts[0]
    return try ChannelMeans.of(
      model, count: images.count, threads: threads, progress: { watch.show($0) },
      isStopped: { stopped.signal != nil }
    ) { index throws(MartletError) in try images.load(index, elements: elements) }
  }

  /// Classifies all images under all failure sets.
  func study(
    _ subjects: [FailureStudy.Subject], _ images: LabelledImages, keepsPredictions: Bool
  ) throws(MartletError) -> FailureStudy.Result {
    let study = FailureStudy(model: model, values: values, subjects: subjects)
    let watch = ProgressWatch(
      "image", total: images.count, note: ", \(study.distinctMasks) different outcomes each")
    return try study.run(
      images, threads: threads, keepsPredictions: keepsPredictions,
      progress: { watch.show($0.images) }, isStopped: { stopped.signal != nil })
  }
}

extension Plan {
  /// The plan's own fill.
  fileprivate var channelFill: ChannelFill {
    // Exchanges that only happen while devices are missing come last, and a study has none of them.
    guard case .mean(let means) = fill else { return .zero }
    return .constants(Array(means.prefix(sharding.exchanges.count)))
  }
}

/// A line of progress with the time that is left.
struct ProgressWatch: Sendable {
  private let what: String
  private let total: Int
  private let note: String
  private let start = ContinuousClock.now

  init(_ what: String, total: Int, note: String = "") {
    self.what = what
    self.total = total
    self.note = note
    Terminal.progress("\(what) 0 of \(total)\(note)")
  }

  func show(_ done: Int) {
    let seconds = (ContinuousClock.now - start).inMilliseconds / 1e3
    let left = seconds / Double(max(done, 1)) * Double(total - done)
    Terminal.progress("\(what) \(done) of \(total)\(note), \(left.formatted(0)) s left")
  }
}
