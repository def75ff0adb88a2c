import ArgumentParser
import Charts
import Evaluation
import Foundations
import Imaging
import ModelCards
import ModelGraph
import Plan
package import Planning
import Processes
import Resilience
import TensorFiles

/// `martlet explore`: what accuracy after failures costs, by every method.
struct Explore: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws accuracy after failures against cost, for every method.",
    discussion: """
      Spreads a model over devices by every method of martlet plan that can be compared, without
      writing plans; methods that can be had in any size, at each budget. With four devices and one
      budget these are:
      \(Explore.methods)
      All of them classify the same labelled images under every set of failing devices, in this
      process.

      A placement is on the Pareto front (*) of a number of failures if no other is cheaper and better:
      what is worth choosing. The chart has a panel for each number of failures; whiskers reach down to
      the worst choice of failing devices.

      --calibration is what method budget measures with, and what --fill mean takes means of. It must
      never be the images of --images, nor share any with them: then the placements would be fitted to
      the test, and the accuracy would say nothing about other images.

      \(LabellingHelp.text)

      \(UnreadableImages.help)

      With --strips all that is done once more for each front that is divided by rows, in strips: survivors
      cut these anew, so that only what is behind them has to be protected.

      --against says what the front and the chart set accuracy against:
      \(Explore.costs)

      Examples:
        martlet explore model.onnx --devices 4 --calibration train/ --images validation/ --svg front.svg
        martlet explore model.onnx --devices 4 --calibration train/ --images test.tar \\
          --scores scores.json --budgets 1.25,1.5,2,3 --fill mean --csv points.csv
        martlet explore model.onnx --devices 3 --calibration train/ --images test.tar \\
          --against memory --limit 500 --json
        martlet explore model.onnx --devices 4 --calibration train/ --images test.tar --strips all
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var card: CardOptions

  @Option(help: "How many devices, 2 or more.")
  var devices: Int

  @Option(
    parsing: .upToNextOption,
    help: "Images to choose placements with: folders or tar archives; never the test images.",
    completion: .file())
  var calibration: [String]

  @Option(
    parsing: .upToNextOption, help: "Labelled images to test with: folders or tar archives.",
    completion: .file())
  var images: [String]

  @Option(help: "Importance of neurons, from martlet score.", completion: .file())
  var scores: String?

  @Option(help: "robustdice: which scores make up the distance: s1, s2, s3 by commas.")
  var importance = "s1,s2,s3"

  @Option(help: "Copies of the weights to allow, by commas.")
  var budgets = "1,1.25,1.4,1.5,1.75,2,2.1,2.5,3,4"

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Explore with the front of the network divided by rows as well: all that can be, or up to the node "
        + "of that name (may be repeated).", valueName: "to"))
  var strips: [StripWish] = []

  @Option(help: "The most devices that fail together; all but one unless given.")
  var failures: Int?

  @Option(
    help: "What stands in for lost neurons: \(Plan.Fill.Kind.help(images: "over --calibration")).")
  var fill: Plan.Fill.Kind = .zero

  @Option(help: "The cost of the front and the chart.")
  var against: ExploreAxis = .copies

  @Option(help: "Use at most this many of --images, evenly chosen.")
  var limit: Int?

  @Option(help: "Use at most this many calibration images, evenly chosen.")
  var calibrationLimit = 64

  @Option(help: "Threads that compute; all processors unless given.")
  var threads: Int?

  @OptionGroup var overwrite: OverwriteOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  @Option(help: "Write a line for each placement and number of failures.", completion: .file())
  var csv: String?

  @Option(help: "Draw a panel for each number of failures.", completion: .file())
  var svg: String?

  func validate() throws {
    guard (2...Plan.maximumDevices).contains(devices) else {
      throw ValidationError("--devices must be 2 to \(Plan.maximumDevices)")
    }
    guard !images.isEmpty else { throw ValidationError("--images needs a folder or archive") }
    guard !calibration.isEmpty else {
      throw ValidationError("--calibration needs a folder or archive")
    }
    guard failures.map({ (1..<devices).contains($0) }) ?? true else {
      throw ValidationError("--failures must be 1 to \(devices - 1)")
    }
    guard limit.map({ $0 > 0 }) ?? true else { throw ValidationError("--limit must be 1 or more") }
    guard calibrationLimit > 0 else {
      throw ValidationError("--calibration-limit must be 1 or more")
    }
    guard threads.map((1...256).contains) ?? true else {
      throw ValidationError("--threads must be 1 to 256")
    }
    _ = try CopiesArgument.list(budgets, option: "--budgets")
    guard !strips.contains(.auto) else {
      throw ValidationError("nothing is predicted here: --strips takes all or the name of a node")
    }
    do throws(MartletError) {
      try SharedOptions.importance.check(importance)
    } catch {
      throw ValidationError(error.message)
    }
  }

  func run() throws {
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    defer { Terminal.endProgress() }
    try OutputFiles.check([csv, svg], overwrite)
    let sets = try FailureSets.upTo(failures ?? devices - 1, devices: devices)
    let (contexts, labelling) = try contexts()
    let set = try ImageSet.open(paths: images, labelling: labelling)
    try ImageSeparation.check(
      calibration: try ImageSet.open(paths: self.calibration, labelling: .none), test: set)
    let unreadable = UnreadableImages()
    let measuring = Measuring(threads: threads, stopped: stopped)
    let calibration = try measuring.readable(
      try contexts[0].calibrationImages(calibration, limit: calibrationLimit), unreadable)
    guard let preprocessing = contexts[0].model.preprocessing else {
      preconditionFailure("calibration images have been prepared")
    }
    let test = try measuring.readable(
      try LabelledImages(set, preprocessing: preprocessing, limit: limit), unreadable)
    var given = [SharedOptions.importance.name: importance]
    given[SharedOptions.scores.name] = scores
    var (points, leftOut) = ([ExplorePoint](), [PlacementCollection.LeftOut]())
    for context in contexts {
      let exploration = try Exploring(
        context: context, measuring: measuring, calibration: calibration, fill: fill)
      let found = try exploration.placements(
        budgets: try CopiesArgument.list(budgets, option: "--budgets"), options: given)
      let tables = try exploration.study(found.placed, sets: sets, images: test)
      points += try exploration.points(found.placed, tables)
      leftOut += found.leftOut
    }
    var report = ExploreReport(
      model: FileSystem.name(of: options.model), calibrationImages: calibration.count,
      against: against, leftOut: leftOut, points: points, table: points[0].table)
    report.unreadableImages = unreadable.count
    Terminal.endProgress()
    // Everything has been computed: only now files appear.
    try stopped.check()
    if let csv { try FileSystem.write(Array(report.csv.utf8), to: csv) }
    if let svg { try FileSystem.write(Array(report.chart.svg.utf8), to: svg) }
    if json { try Terminal.printJSON(report) } else { try Terminal.print(report.text) }
    try unreadable.finish()
  }

  /// The model and the devices, undivided by rows and with each front that was asked for, and how images
  /// get labels for the model.
  private func contexts() throws -> ([PlacingContext], ImageLabelling) {
    let graph = try options.graph()
    let card = try ModelCard.load(
      model: options.model, preprocessing: card.preprocessing, labels: card.labels)
    try card.tellAssumptions(for: graph, model: options.model)
    let model = try card.model(of: graph, path: options.model)
    let plain = PlanLayout(
      devices: try DeviceWishes(count: devices).devices(), sharding: try Sharding(graph))
    var layouts = [plain]
    for wish in strips {
      let layout = try wish.apply(to: plain, graph: graph)
      // Two names may mean the same front.
      if !layouts.contains(where: { $0.sharding.strips == layout.sharding.strips }) {
        layouts.append(layout)
      }
    }
    let contexts = layouts.map { PlacingContext(graph: graph, model: model, layout: $0) }
    return (contexts, try card.labelling(for: graph))
  }

  /// What is compared, for help: a line a method.
  private static var methods: String {
    PlanningMethods.standard.all.compactMap { method in
      let variants = method.variants(devices: 4, budgets: [2])
      guard !variants.isEmpty else { return nil }
      let needs = Set(variants.flatMap(\.requires)).sorted().map { "--" + $0 }
      return "  " + variants.map(\.name).joined(separator: "; ")
        + (needs.isEmpty ? "" : " (with \(needs.joined(separator: ", ")))")
    }.joined(separator: "\n")
  }

  /// The costs for help, one a line.
  private static var costs: String {
    ExploreAxis.allCases.map {
      "  " + $0.rawValue + String(repeating: " ", count: 11 - $0.rawValue.count) + $0.summary
    }.joined(separator: "\n")
  }
}

extension ExploreAxis: ExpressibleByArgument {}
