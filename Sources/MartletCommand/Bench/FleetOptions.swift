import ArgumentParser
import Foundations
import Imaging
import LocalFleet
import ONNXImport
import Plan
import Planning
import Processes
import TensorFiles

/// What a command runs on worker processes of its own: the bundled network, a model or a plan.
struct FleetOptions: ParsableArguments {
  @Option(help: "How many worker processes; 4 unless given.")
  var devices: Int?

  @Option(help: "An ONNX model instead of the bundled one.", completion: .file())
  var model: String?

  @Option(
    parsing: .upToNextOption, help: "Images, folders or tar archives, for --model.",
    completion: .file())
  var images: [String] = []

  @Option(help: "How neurons are spread; interleaved unless given.")
  var method: LoneMethodName?

  @Option(
    help: "A plan folder instead of a model; without --images it gets the bundled digits.",
    completion: .directory)
  var plan: String?

  /// The most worker processes.
  static let maximumDevices = 16

  func validate() throws {
    guard devices.map((2...Self.maximumDevices).contains) ?? true else {
      throw ValidationError("--devices must be 2 to \(Self.maximumDevices)")
    }
    guard plan == nil || (model == nil && devices == nil && method == nil) else {
      throw ValidationError("--plan decides model, devices and method: leave those out")
    }
  }

  /// The user's plan, or one that is made for the model, in `folder`.
  func makePlan(in folder: String) throws(MartletError) -> PlanFolder {
    if let path = plan {
      let plan = try PlanFolder(reading: path)
      guard (2...Self.maximumDevices).contains(plan.plan.devices.count) else {
        throw MartletError(
          .invalidArgument, "this runs 2 to \(Self.maximumDevices) devices on one machine",
          context: ["plan": path, "devices": "\(plan.plan.devices.count)"])
      }
      return plan
    }
    let path = try modelPath(in: folder)
    return try PlanCommand.make(
      graph: try ONNXImporter.load(path: path), modelPath: path,
      card: try ModelCard.load(model: path, preprocessing: nil, labels: nil),
      devices: devices ?? 4, method: method?.method ?? PlanningMethods.usual,
      output: folder + "/plan")
  }

  private func modelPath(in folder: String) throws(MartletError) -> String {
    if let model { return model }
    let model = folder + "/demo.onnx"
    try FileSystem.write(Array(DemoAssets.model), to: model)
    try FileSystem.write(Array(DemoAssets.about), to: folder + "/demo.json")
    return model
  }

  /// Runs `body` with a fleet and frames for it; it can ask whether the user wants it to stop.
  func measure<Result>(
    frames: Int, _ body: (Fleet, FleetInputs, StopFlag) throws -> Result
  ) throws -> Result {
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    return try withFleet(plan: makePlan) { fleet, _ in
      let unreadable = UnreadableImages()
      let inputs = try FleetInputs(
        fleet.plan, images: try makeImages(in: fleet.folder), count: frames, unreadable)
      let result = try body(fleet, inputs, stopped)
      try unreadable.finish()
      return result
    }
  }

  /// The user's images, or the bundled digits written to `folder`; none for a model without images.
  func makeImages(in folder: String) throws(MartletError) -> [String] {
    guard images.isEmpty, model == nil else { return images }
    let digits = folder + "/digits.tar"
    try FileSystem.write(Array(DemoAssets.digits), to: digits)
    return [digits]
  }
}
