import ArgumentParser
import Charts
import Evaluation
import Foundations
import Imaging
import ModelCards
import ModelGraph
import ONNXImport
import Plan
import Planning
import Processes
import Resilience
import TensorFiles
import Tensors

/// `martlet study`: what failures cost, known beforehand.
struct Study: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says how much accuracy is left when devices fail, without a broker.",
    discussion: """
      Classifies labelled images under every set of failing devices, in this process: average, worst
      and best over which devices fail, with 95 % confidence intervals (Wilson). Several plans of one
      model see the same images and share what they have in common. The table goes into the plan's
      folder as study.json, for the running system.

      Four devices that lose 1, 2 or 3 are scenario A of the RobustDiCE paper, three that lose 1 or 2
      scenario B, two that lose 1 scenario C. Its optimistic choice of failures for contiguous filters
      is the best column.

      With --reliability, the chance of each device to survive, the expected accuracy is the sum over
      all sets of their probability times their accuracy (deepFogGuard, equation 3); if nobody is left,
      that of a guess.

      With --at-loss it also studies the frame in which the devices die, before they have sent any of
      it: nobody stands in for them yet. A running system goes by these figures for such answers.

      \(LabellingHelp.text)

      \(UnreadableImages.help)

      Examples:
        martlet study plan --model model.onnx --images validation/
        martlet study plan --model model.onnx --images test.tar --all --reliability 0.99,0.95,0.9,0.9
        martlet study lop ours --model model.onnx --images test.tar --svg bars.svg --csv table.csv
        martlet study plan --model model.onnx --images test.tar --fill mean --calibration train/
        martlet study plan --model model.onnx --images test.tar --wire i8 --no-save
        martlet study plan --model model.onnx --images test.tar --weights i8 --no-save
        martlet study plan --model model.onnx --images test.tar --at-loss
      """)

  @Argument(help: "Plan folders, all of one model.", completion: .directory)
  var plans: [String]

  @Option(help: "The ONNX file that the plans were made from.", completion: .file())
  var model: String

  @Option(help: ArgumentHelp("Extent of an open dimension, as for plan.", valueName: "name=extent"))
  var dimension: [String] = []

  @Option(
    parsing: .upToNextOption, help: "Labelled images: folders or tar archives.",
    completion: .file())
  var images: [String]

  @Option(
    help: "Class names in the order of the outputs, for folders; they win over the plan's.",
    completion: .file())
  var labels: String?

  @Option(help: "The most devices that fail together; 3 unless given.")
  var failures: Int?

  @Flag(help: "Study every set of devices.")
  var all = false

  @Option(
    help: """
      What stands in for lost neurons: \(Plan.Fill.Kind.help(images: "with --calibration")); else \
      as planned.
      """)
  var fill: Plan.Fill.Kind?

  @Option(
    help: """
      How parts travel: f32, f16, i8, or auto for what the plan says, which also counts if this is not \
      given. A part is taken to be rounded for whoever reads it, its own device too.
      """)
  var wire: WireChoice?

  @Option(
    help: """
      How weights are stored: \(WeightType.summary). As the plans say if this is not given; with \
      --at-loss never otherwise.
      """)
  var weights: WeightType?

  @Option(
    parsing: .upToNextOption,
    help: "Images for \(Plan.Fill.Kind.measuredOptions); those that are studied are refused.",
    completion: .file())
  var calibration: [String] = []

  @OptionGroup var loss: StudyLossOptions

  @Option(help: "Survival probability of each device, by commas, or one for all.")
  var reliability: String?

  @Option(help: "Use at most this many images, evenly chosen.")
  var limit: Int?

  @Option(help: "Threads that compute; all processors unless given.")
  var threads: Int?

  @OptionGroup var overwrite: OverwriteOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  @Option(help: "Write a line for each failure set.", completion: .file())
  var csv: String?

  @Option(help: "Draw bars by number of failures.", completion: .file())
  var svg: String?

  @Option(help: "Write the answer for each image and failure set, as TSV.", completion: .file())
  var predictions: String?

  @Flag(help: "Do not write study.json into the plans' folders.")
  var noSave = false

  func validate() throws {
    guard !plans.isEmpty else { throw ValidationError("name at least one plan") }
    guard !images.isEmpty else { throw ValidationError("--images needs a folder or archive") }
    guard failures == nil || !all else {
      throw ValidationError("give either --failures or --all")
    }
    guard failures == nil || reliability == nil else {
      throw ValidationError("--reliability needs every failure set: leave --failures out")
    }
    guard failures.map({ $0 >= 0 }) ?? true else {
      throw ValidationError("--failures must be 0 or more")
    }
    guard limit.map({ $0 > 0 }) ?? true else { throw ValidationError("--limit must be 1 or more") }
    guard threads.map((1...256).contains) ?? true else {
      throw ValidationError("--threads must be 1 to 256")
    }
    guard (fill?.needsImages ?? false) == !calibration.isEmpty else {
      throw ValidationError(
        "\(Plan.Fill.Kind.measuredOptions) and --calibration belong together")
    }
    _ = try reliabilities()
  }

  func run() throws {
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    try OutputFiles.check([csv, svg, predictions], overwrite)
    let folders = try plans.map { path throws(MartletError) in try PlanFolder(reading: path) }
    if loss.isStudied, let weights, let other = folders.first(where: { $0.plan.weights != weights })
    {
      throw MartletError(
        .invalidArgument, "--at-loss computes with the weights of the plan's shards",
        context: ["plan": other.path, "weights": other.plan.weights.rawValue],
        hint: "leave --weights out, or plan again with --weights \(weights.rawValue)")
    }
    let run = try StudyRun(
      folders: folders, graph: try graph(for: folders), weights: weights,
      measuring: Measuring(threads: threads, stopped: stopped))
    let sets = try run.failureSets { devices in failures ?? (isWhole ? devices : 3) }
    let given = try reliabilities()
    let byPlan = try folders.map { folder in try spread(given, over: folder.plan.devices.count) }
    let labelling = try folders[0].plan.labelling(labels: labels)
    if !calibration.isEmpty {
      try ImageSeparation.check(
        calibration: try ImageSet.open(paths: calibration, labelling: .none),
        test: try ImageSet.open(paths: images, labelling: labelling))
    }
    let unreadable = UnreadableImages()
    let images = try run.images(
      images, labelling: labelling, limit: limit, unreadable: unreadable.note)
    let fill = try fill.map { kind in
      try run.fill(kind) { () throws(MartletError) in
        try run.calibrationImages(calibration, unreadable: unreadable.note)
      }
    }
    let subjects = try run.subjects(sets, fill: fill, wire: wire)
    var result = try run.study(subjects, images, keepsPredictions: predictions != nil)
    if loss.isStudied {
      for (position, (folder, subject)) in zip(folders, subjects).enumerated() {
        result.tables[position] = try loss.study(
          subject, of: folder, fill: fill, wire: wire, run, images,
          table: result.tables[position])
      }
    }
    Terminal.endProgress()
    var report = try StudyReport(
      model: FileSystem.name(of: model), folders: folders, tables: result.tables,
      reliabilities: byPlan)
    report.unreadableImages = unreadable.count
    // Everything has been computed: only now files appear.
    try stopped.check()
    try write(report, result, images)
    if json { try Terminal.printJSON(report) } else { try Terminal.print(report.text) }
    try unreadable.finish()
  }

  private var isWhole: Bool { all || reliability != nil }

  private func reliabilities() throws -> [Double]? {
    try reliability.map { text in
      try text.split(separator: ",", omittingEmptySubsequences: false).map { piece in
        guard let value = Double(piece), (0...1).contains(value) else {
          throw ValidationError("--reliability takes probabilities from 0 to 1, not \(piece)")
        }
        return value
      }
    }
  }

  private func spread(_ values: [Double]?, over devices: Int) throws(MartletError) -> [Double]? {
    guard let values else { return nil }
    if values.count == 1 { return Array(repeating: values[0], count: devices) }
    guard values.count == devices else {
      throw MartletError(
        .invalidArgument, "--reliability gives another number of devices than the plan has",
        context: ["given": "\(values.count)", "devices": "\(devices)"],
        hint: "give one number for all devices")
    }
    return values
  }

  /// The model with its weights, which must be the one that the plans were made from.
  private func graph(for folders: [PlanFolder]) throws -> Graph {
    let digest = try FileDigest.sha256(path: model)
    for folder in folders where folder.plan.model.sha256 != digest {
      throw MartletError(
        .mismatch, "the plan was made from another model file",
        context: ["plan": folder.path, "model": model, "planned": folder.plan.model.name],
        hint: "name the file that martlet plan was given, or run martlet plan again")
    }
    let graph = try ONNXImporter.load(
      path: model, dimensions: try ExtentOptions.dimensions(dimension))
    for folder in folders where !folder.plan.isOf(graph) {
      throw MartletError(
        .mismatch, "the plan was made from another form of the model",
        context: ["plan": folder.path, "model": model],
        hint: "give the same --dimension as for martlet plan, or plan again with this version")
    }
    return graph
  }

  private func write(
    _ report: StudyReport, _ result: FailureStudy.Result, _ images: LabelledImages
  ) throws(MartletError) {
    if let csv { try FileSystem.write(Array(report.csv.utf8), to: csv) }
    if let svg { try FileSystem.write(Array(report.chart.svg.utf8), to: svg) }
    if let predictions {
      try PredictionsFile.write(predictions, report: report, result: result, images: images)
    }
    guard !noSave else { return }
    for (path, table) in zip(plans, result.tables) {
      try FileSystem.write(try table.encoded(), to: path + "/" + PlanFolder.studyName)
    }
  }
}
