public import ArgumentParser
import JSONCoding
import ModelGraph
public import Partitioning
import Plan
import TensorCore
import TensorFiles

/// `martlet plan`: splits a model over devices.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Splits a model over devices and writes a plan folder.",
    discussion: """
      The folder holds plan.json and one shard of weights per device. A worker needs plan.json and its
      own shard; the client needs plan.json, and client.safetensors if there is one.

      Methods:
        lop          \(PartitionMethod.lop.summary)
        interleaved  \(PartitionMethod.interleaved.summary)

      MODEL.json beside MODEL.onnx (or --preprocessing and --labels) says how images become inputs:
        {"preprocessing": {"channels": 3, "resizeShort": 256, "crop": [224, 224],
          "scale": 0.00392156862745098, "mean": [0.485, 0.456, 0.406],
          "deviation": [0.229, 0.224, 0.225], "interpolation": "bilinear"},
         "labels": ["cat", "dog"]}

      Examples:
        martlet plan model.onnx --devices 4 -o plan
        martlet plan model.onnx --devices 4 --shares 2,1,1,1 -o plan
        martlet plan model.onnx --names kitchen,attic,cellar --method lop -o plan
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var card: CardOptions

  @Option(help: "How many devices; they are called d0, d1 and so on.")
  var devices: Int?

  @Option(help: "Device names, separated by commas, instead of --devices.")
  var names: String?

  @Option(help: "Relative work of each device, separated by commas.")
  var shares: String?

  @Option(help: "lop or interleaved.")
  var method: PartitionMethod = .interleaved

  @Option(name: [.short, .long], help: "The plan's folder.", completion: .directory)
  var output: String

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    let devices = try deviceList()
    let graph = try options.graph()
    let folder = try PlanCommand.make(
      graph: graph, modelPath: options.model,
      card: try ModelCard.load(
        model: options.model, preprocessing: card.preprocessing, labels: card.labels),
      devices: devices, method: method, output: output,
      progress: { number in
        Terminal.progress("shard \(number + 1) of \(devices.count)")
      })
    Terminal.endProgress()
    let costs = devices.indices.map { folder.plan.cost(of: $0) }
    if json {
      try Terminal.printJSON(Report(folder, costs))
    } else {
      show(folder, costs)
    }
  }

  /// Plans a model and writes the folder.
  static func make(
    graph: Graph, modelPath: String, card: ModelCard, devices: [Plan.Device],
    method: PartitionMethod, output: String, progress: (Int) -> Void = { _ in }
  ) throws(MartletError) -> PlanFolder {
    let sharding = try Sharding(graph)
    let model = Plan.Model(
      name: graph.name, sha256: try FileDigest.sha256(path: modelPath),
      preprocessing: try card.preprocessing(for: graph), labels: card.labels ?? [])
    let plan = try Plan(
      model: model, method: method.rawValue, devices: devices, graph: graph, sharding: sharding,
      parts: method.parts(graph: graph, sharding: sharding, shares: devices.map(\.share)))
    return try PlanFolder.write(plan, graph: graph, to: output, progress: progress)
  }

  private func deviceList() throws -> [Plan.Device] {
    let names: [String]
    switch (devices, self.names) {
    case (let count?, nil):
      guard (1...Plan.maximumDevices).contains(count) else {
        throw ValidationError("--devices must be 1 to \(Plan.maximumDevices)")
      }
      names = (0..<count).map { "d\($0)" }
    case (nil, let text?): names = text.split(separator: ",").map(String.init)
    default: throw ValidationError("give either --devices or --names")
    }
    guard let shares else { return names.map { Plan.Device(name: $0) } }
    let values = shares.split(separator: ",").map { Double($0) }
    guard values.count == names.count, values.allSatisfy({ $0 != nil }) else {
      throw ValidationError("--shares takes \(names.count) numbers, separated by commas")
    }
    return zip(names, values).map { Plan.Device(name: $0, share: $1 ?? 1) }
  }

  private struct Report: Encodable {
    struct Device: Encodable {
      var name: String
      var cost: DeviceCost
    }
    var plan: String
    var folder: String
    var method: String
    var layers: Int
    var exchanges: Int
    var devices: [Device]

    init(_ folder: PlanFolder, _ costs: [DeviceCost]) {
      plan = folder.id
      self.folder = folder.path
      method = folder.plan.method
      layers = folder.plan.sharding.layers.count
      exchanges = folder.plan.exchanges.count
      devices = zip(folder.plan.devices, costs).map { Device(name: $0.name, cost: $1) }
    }
  }

  private func show(_ folder: PlanFolder, _ costs: [DeviceCost]) {
    var table = TextTable(
      "device", "neurons", "weights", "multiply-adds", "sent/frame", "received/frame")
    for (device, cost) in zip(folder.plan.devices, costs) {
      table.add(
        device.name, "\(cost.neurons)", cost.weightBytes.asBytes, cost.multiplyAdds.asCount,
        cost.bytesSent.asBytes, cost.bytesReceived.asBytes)
    }
    print(table.text)
    print("")
    print(
      "plan \(folder.id): \(folder.plan.sharding.layers.count) layers, "
        + "\(folder.plan.exchanges.count) exchanges, in \(folder.path)")
  }
}

extension PartitionMethod: ExpressibleByArgument {}
