import ArgumentParser
import Foundations
import JSONCoding
import ModelGraph
import Plan
import Planning
import Processes
import Tables
import TensorFiles
import Tensors

/// `martlet plan`: splits a model over devices.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Splits a model over devices and writes a plan folder.",
    discussion: """
      The folder holds plan.json and one shard of weights per device. A worker needs plan.json and its
      own shard; the client needs plan.json, and client.safetensors if there is one; with --fill mean
      both need means.safetensors too.

      Methods:
      \(PlanningMethods.standard.listing)

      MODEL.json beside MODEL.onnx (or --preprocessing and --labels) says how images become inputs:
        {"preprocessing": {"channels": 3, "resizeShort": 256, "crop": [224, 224],
          "scale": 0.00392156862745098, "mean": [0.485, 0.456, 0.406],
          "deviation": [0.229, 0.224, 0.225], "interpolation": "bilinear"},
         "labels": ["cat", "dog"], "frequencies": [0.7, 0.3], "task": "classification"}
      "task" says how the output is read: classification, binary, multilabel or raw; without it the
      model's last operations say it (see martlet infer --help). It becomes part of the plan.

      In a vertical plan what a lost device would have sent is null, and what is computed from nothing
      but null is null as well. An answer that comes to null is a guess, drawn by the frequencies of
      the classes in training (equal ones where the card has none), and says so.

      With --pairs a wide layer between two narrow values is divided, and devices exchange and add up what
      they contribute to the second one. Its neurons have neither copies nor parity.

      Replicas and parity cost memory; they are computed only while somebody is missing.

      In a plan of whole frames every device holds the model, each frame goes to the device that should be
      done with it first, and one whose device dies goes to another. The figures are those of a device's
      own frames.

      With --link, --broker-link, --profiles, --goal or --method auto it predicts what the plan takes on
      such devices and links, beside one device alone, and says in a line what is best and why:
      latency of a frame alone, frames a second with many under way, bytes of a frame through the link
      of the device with most and through the broker's, memory of the device with most, what is lost
      with one device. --method auto writes the plan that is best at the --goal.

      A calibration image that cannot be read is named on standard error and passed over; the plan is
      written, and the status is then 1.

      Examples:
        martlet plan model.onnx --devices 4 -o plan
        martlet plan model.onnx --devices 4 --shares 2,1,1,1 -o plan
        martlet plan model.onnx --names kitchen,attic,cellar --method lop -o plan
        martlet plan model.onnx --devices 4 --method coded --tolerate 1 -o plan
        martlet plan model.onnx --devices 4 --method robustdice --scores scores.json --copies 2 -o plan
        martlet plan model.onnx --devices 4 --method auto --link 50mbit,2ms -o plan
        martlet plan model.onnx --devices 4 --method lop --link 1gbit d3=100mbit \\
          --broker-link 1gbit --profiles profiles/ -o plan
        martlet plan model.onnx --devices 4 --method lop --strips auto --pairs auto --link 50mbit -o plan
        martlet plan model.onnx --method vertical --tiers edge,fog,cloud -o plan
        martlet plan model.onnx --devices 4 --method whole -o plan
        martlet plan model.onnx --devices 4 --method budget --copies 1.5 --survive 2 \\
          --calibration train/ -o plan
        martlet plan model.onnx --devices 4 --wire auto --calibration train/ -o plan
        martlet plan model.onnx --devices 4 --method coded --tolerate 1 --weights i8 -o plan
        martlet plan model.onnx --devices 4 --weights auto --calibration train/ -o plan
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var card: CardOptions

  @Option(help: "How many devices; they are called d0, d1 and so on.")
  var devices: Int?

  @Option(help: "Device names, separated by commas, instead of --devices.")
  var names: String?

  @Option(help: "Relative work of each device, separated by commas.")
  var shares: String?

  @OptionGroup var method: MethodArguments

  @OptionGroup var prediction: PredictionArguments

  @Option(name: [.short, .long], help: "The plan's folder.", completion: .directory)
  var output: String

  @OptionGroup var overwrite: OverwriteOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    try OutputFiles.checkPlan(output, overwrite)
    let graph = try options.graph()
    try PlanMaker.checkInputs(of: graph)
    let card = try ModelCard.load(
      model: options.model, preprocessing: card.preprocessing, labels: card.labels)
    let model = try card.model(of: graph, path: options.model)
    try card.tellAssumptions(for: graph, model: options.model)
    let (unreadable, method) = (UnreadableImages(), method)
    let measuring = Measuring(threads: method.threads, stopped: stopped)
    let images: PlanSearch.Images = { context throws(MartletError) in
      try measuring.readable(
        try context.calibrationImages(method.calibration, limit: method.calibrationLimit),
        unreadable)
    }
    let search = try PlanSearch(
      method.order(goal: prediction.wantedGoal), graph: graph, model: model,
      wishes: try wishes(), measuring: measuring,
      images: method.calibration.isEmpty ? nil : images)
    let (made, comparison) = try search.plan(isPredicted: prediction.isWanted) {
      names throws(MartletError) in try prediction.model(of: names, stopped: stopped)
    }
    try stopped.check()
    made.plan.weights.tellUnstorable(of: graph)
    let folder = try PlanFolder.write(made.plan, graph: graph, to: output) { number in
      Terminal.progress("shard \(number + 1) of \(made.plan.devices.count)")
    }
    Terminal.endProgress()
    var report = Report(
      folder, PlanFigures(folder.plan, made.result), unreadableImages: unreadable.count)
    report.prediction = comparison.map {
      PredictionReport($0, goal: prediction.wantedGoal)
    }
    if json { try Terminal.printJSON(report) } else { try show(folder, report) }
    try unreadable.finish()
  }

  /// Plans a model by a method that needs no options and writes the folder.
  static func make(
    graph: Graph, modelPath: String, card: ModelCard, devices: Int, method: any PlanningMethod,
    output: String
  ) throws(MartletError) -> PlanFolder {
    let maker = try PlanMaker(method)
    let context = PlacingContext(
      graph: graph, model: try card.model(of: graph, path: modelPath),
      layout: try maker.layout(of: graph, wishes: DeviceWishes(count: devices)))
    return try PlanFolder.write(try maker.make(context).plan, graph: graph, to: output)
  }

  /// What was said about the devices.
  private func wishes() throws -> DeviceWishes {
    if let devices, !(1...Plan.maximumDevices).contains(devices) {
      throw ValidationError("--devices must be 1 to \(Plan.maximumDevices)")
    }
    return DeviceWishes(
      names: names?.split(separator: ",").map(String.init), count: devices,
      shares: try shareList())
  }

  private func shareList() throws -> [Double]? {
    guard let shares else { return nil }
    let values = shares.split(separator: ",").map { Double($0) }
    guard values.allSatisfy({ $0 != nil }) else {
      throw ValidationError("--shares takes numbers, separated by commas")
    }
    return values.compactMap { $0 }
  }

  private struct Report: Encodable {
    struct Device: Encodable {
      var name: String
      var cost: DeviceCost
    }
    struct Protected: Encodable {
      var layer: String
      var protection: String
    }
    var plan: String
    var folder: String
    var method: String
    var fill: String
    /// How parts travel, by exchange; absent where the plan does not say.
    var wire: String?
    /// How weights are stored.
    var weights: String
    var task: String
    var layers: Int
    var exchanges: Int
    /// Weight bytes of all devices over those of the model.
    var copies: Double
    var devices: [Device]
    /// Where each layer's was chosen.
    var protections: [Protected]?
    /// Share of calibration answers that stay, by number of failures from 1 on, where measured.
    var agreement: [Double]?
    /// Calibration images that could not be read.
    var unreadableImages: Int
    /// Where it was asked for.
    var prediction: PredictionReport?

    private enum CodingKeys: String, CodingKey {
      case plan, folder, method, fill, wire, weights, layers, exchanges, copies, devices,
        protections,
        agreement
      case unreadableImages = "unreadable_images"
      case prediction
    }

    init(_ folder: PlanFolder, _ figures: PlanFigures, unreadableImages: Int) {
      self.unreadableImages = unreadableImages
      plan = folder.id
      self.folder = folder.path
      method = folder.plan.method
      fill = folder.plan.fill.kind.rawValue
      wire = folder.plan.wireText
      weights = folder.plan.weights.rawValue
      task = folder.plan.head.task.rawValue
      layers = figures.layers
      exchanges = figures.exchanges
      copies = figures.copies
      devices = zip(folder.plan.devices, figures.devices).map {
        Device(name: $0.name, cost: $1)
      }
      protections = figures.protections?.map {
        Protected(layer: $0.layer, protection: $0.protection)
      }
      agreement = figures.agreement
    }
  }

  private func show(_ folder: PlanFolder, _ report: Report) throws(MartletError) {
    var table = TextTable(
      "device", "neurons", "weights", "multiply-adds", "sent/frame", "received/frame")
    for device in report.devices {
      let cost = device.cost
      table.add(
        device.name, "\(cost.neurons)", cost.weightBytes.asBytes, cost.multiplyAdds.asCount,
        cost.bytesSent.asBytes, cost.bytesReceived.asBytes)
    }
    try Terminal.print(table.text)
    try Terminal.print("")
    if let protections = report.protections {
      var layers = TextTable("layer", "protection")
      for layer in protections { layers.add(layer.layer, layer.protection) }
      try Terminal.print(layers.text)
      try Terminal.print("")
      let kept = (report.agreement ?? []).enumerated().map {
        "\(($1 * 100).formatted(1)) % after \($0 + 1)"
      }
      try Terminal.print("calibration answers that stay: " + kept.joined(separator: ", "))
      try Terminal.print("")
    }
    try Terminal.print(
      "plan \(folder.id): \(report.method), \(report.layers) layers, \(report.exchanges) exchanges, "
        + "\(report.copies.formatted(2)) copies of the weights, in \(folder.path)"
        + UnreadableImages.note(report.unreadableImages))
    if folder.plan.weights != .f32 {
      try Terminal.print("weights are stored as \(report.weights)")
    }
    if let wire = report.wire {
      try Terminal.print("parts travel as \(wire); the bytes above are those of f32")
    }
    if let prediction = report.prediction {
      try Terminal.print("")
      try Terminal.print(prediction.text)
    }
    if !folder.plan.head.hasAccuracy {
      try Terminal.print(
        "answers are of task \(report.task): no single class is right, so there is no accuracy")
    }
  }
}
