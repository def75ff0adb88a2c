import ArgumentParser
import Foundations
import Glibc
import Imaging
import Kernels
import ModelCards
import ModelGraph
import Plan
package import Planning
import Processes
import Tables
import TensorFiles

/// `martlet score`: the importance of every neuron.
struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures how important each neuron of a model is.",
    discussion: """
      Three scores (RobustDiCE, section 4.2) of every neuron of every convolution and dense layer:
        s1  the l1 norm of its weights and its bias
        s2  the sum of |dy/dw w| over them, y the logit of the top class, summed over images
        s3  the divergence between the outputs with and without it, in nats, the mean over images

      Calibration images are chosen evenly over the classes if labels are known. Never take images
      that accuracy is measured on later, such as a test set: the plan would be fitted to them.
      Subfolders are classes; if the class names are known, each must bear one of them.

      \(UnreadableImages.help)

      The file is written again and again while s3 is computed. After Ctrl-C, or a crash, the same
      command goes on where it stopped.

      Examples:
        martlet score model.onnx --calibration train/ -o scores.json
        martlet score model.onnx --calibration train.tar --s3-images 16 -o scores.json
        martlet score model.onnx --s2-images 0 --s3-images 0 -o l1.json
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var card: CardOptions

  @Option(
    parsing: .upToNextOption,
    help: "Images, folders or tar archives to calibrate with; not the test images.",
    completion: .file())
  var calibration: [String] = []

  @Option(
    name: [.short, .long], help: "The file of scores; if it exists, it is continued.",
    completion: .file(extensions: ["json"]))
  var output: String

  @Option(help: "Images for s2; 0 leaves it out.")
  var s2Images = 64

  @Option(help: "Images for s3; 0 leaves it out. Time grows with their number.")
  var s3Images = 4

  @Option(help: "The y of s2: logit of the top class, or its log-probability.")
  var s2Output: ScoringChoices.Output = .logit

  @Option(help: "The unit of s3: nats or bits.")
  var s3Unit: ScoringChoices.Unit = .nats

  @Option(help: "Threads that compute; all cores unless given.")
  var threads: Int?

  @Flag(help: "Do not continue an existing file: replace it.")
  var restart = false

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    guard (0...1_000_000).contains(s2Images), (0...10_000).contains(s3Images) else {
      throw ValidationError("--s2-images and --s3-images must not be negative or huge")
    }
    guard s2Images + s3Images == 0 || !calibration.isEmpty else {
      throw ValidationError("s2 and s3 need --calibration; without them give 0 images for both")
    }
    guard threads.map((1...256).contains) ?? true else {
      throw ValidationError("--threads must be 1 to 256")
    }
  }

  func run() throws {
    let graph = try options.graph()
    ComputeThreads.set(threads ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    let start = try Scoring.start(
      graph: graph, model: try FileDigest.sha256(path: options.model))
    let unreadable = UnreadableImages()
    let (s2, s3) = try images(for: graph, unreadable)
    var scores = start
    if !restart, FileSystem.exists(output) {
      scores = try ScoresFile.read(output)
      do throws(MartletError) {
        try scores.requireFit(start, s2: s2, s3: s3, choices: choices)
      } catch {
        throw error.adding("file", output)
      }
    }

    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    let session = ScoringSession(output: output, stopped: stopped)
    defer { Terminal.endProgress() }
    try session.save(scores)
    let clock = ContinuousClock()
    let begin = clock.now
    if let s2, !scores.isComplete([.s2]) {
      try Scoring.addSensitivity(
        to: &scores, graph: graph, images: s2, choices: choices, observer: session.observe)
      try session.save(scores)
    }
    let middle = clock.now
    if let s3, !scores.isComplete([.s3]) {
      try Scoring.addDivergence(
        to: &scores, graph: graph, images: s3, choices: choices, observer: session.observe)
      try session.save(scores)
    }
    Terminal.endProgress()
    try report(scores, middle - begin, clock.now - middle, unreadable.count)
    try unreadable.finish()
  }

  private var choices: ScoringChoices { ScoringChoices(output: s2Output, unit: s3Unit) }

  // MARK: Images

  private func images(
    for graph: Graph, _ unreadable: UnreadableImages
  ) throws -> (s2: CalibrationImages?, s3: CalibrationImages?) {
    guard s2Images + s3Images > 0 else { return (nil, nil) }
    let card = try ModelCard.load(
      model: options.model, preprocessing: card.preprocessing, labels: card.labels)
    guard let preprocessing = try card.preprocessing(for: graph) else {
      throw MartletError(
        .unsupported, "the model's input is not an image",
        hint: "--s2-images 0 --s3-images 0 computes s1 alone")
    }
    if s3Images > 0 {
      try card.head(of: graph).requireOneOfMany(for: "s3", hint: "--s3-images 0 leaves it out")
    }
    let set = try ImageSet.open(
      paths: calibration, labelling: .groups(try card.classNames(for: graph)))
    let labels = (0..<set.count).map { set.label($0) }
    func choose(_ count: Int) throws(MartletError) -> CalibrationImages? {
      guard count > 0 else { return nil }
      let chosen = CalibrationChoice.indices(labels: labels, count: count)
      let readable = chosen.filter { index in
        unreadable.reading(set.name(index)) { () throws(MartletError) in
          try preprocessing.apply(try set.load(index))
        } != nil
      }
      guard !readable.isEmpty else {
        throw MartletError(.invalidFile, "none of the \(chosen.count) images can be read")
      }
      return try CalibrationImages(set, readable, preprocessing)
    }
    return (try choose(s2Images), try choose(s3Images))
  }

  // MARK: Results

  private struct Report: Encodable {
    var file: String
    var layers: Int
    var neurons: Int
    var s2Images: Int?
    var s3Images: Int?
    var s2Seconds: Double
    var s3Seconds: Double
    var unreadableImages: Int

    private enum CodingKeys: String, CodingKey {
      case file, layers, neurons
      case s2Images = "s2_images"
      case s3Images = "s3_images"
      case s2Seconds = "s2_seconds"
      case s3Seconds = "s3_seconds"
      case unreadableImages = "unreadable_images"
    }
  }

  private func report(
    _ scores: ImportanceScores, _ s2: Duration, _ s3: Duration, _ unreadable: Int
  ) throws {
    let report = Report(
      file: output, layers: scores.layers.count,
      neurons: scores.layers.reduce(0) { $0 + $1.s1.count },
      s2Images: scores.s2Calibration?.images, s3Images: scores.s3Calibration?.images,
      s2Seconds: s2.inMilliseconds / 1e3, s3Seconds: s3.inMilliseconds / 1e3,
      unreadableImages: unreadable)
    if json { return try Terminal.printJSON(report) }
    var table = TextTable("layer", "neurons", "mean s1", "mean s2", "mean s3")
    for layer in scores.layers {
      func mean(_ score: ImportanceScores.Score) -> String {
        layer.values(score).map { ($0.reduce(0, +) / Double($0.count)).formatted(6) } ?? "-"
      }
      table.add(layer.name, "\(layer.s1.count)", mean(.s1), mean(.s2), mean(.s3))
    }
    try Terminal.print(table.text)
    try Terminal.print("")
    try Terminal.print(
      "\(report.neurons) neurons of \(report.layers) layers in \(output): s2 took "
        + "\(report.s2Seconds.formatted(1)) s, s3 \(report.s3Seconds.formatted(1)) s"
        + UnreadableImages.note(unreadable))
  }
}

extension ScoringChoices.Output: ExpressibleByArgument {}
extension ScoringChoices.Unit: ExpressibleByArgument {}
