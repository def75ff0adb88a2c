import ArgumentParser
import FogNetwork
import Foundations
import Plan
import Tables
import TensorFiles

/// `martlet fog plan`: a trained network for its physical nodes.
struct FogPlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Writes the plan folder of a trained network, a device for each node.",
    discussion: """
      The plan runs like any other: a martlet worker for each node, martlet run for the samples.
      A hyperconnection is the topic act/<node>/<node>. What a lost node would have sent is null and
      is ignored; an answer that comes to null is a guess, drawn by the frequencies of the classes in
      training, and says so. broker-config/ has a broker for each tier.

      Examples:
        martlet fog plan model.fog -o plan
        martlet worker --broker edge.local --plan plan --device e1
        martlet run --broker edge.local --plan plan --samples data/test-inputs.npy \\
          --sample-labels data/test-labels.npy
      """)

  @Argument(help: "A network of martlet fog train.", completion: .file())
  var model: String

  @Option(name: [.short, .long], help: "The plan's folder.", completion: .directory)
  var output: String

  @OptionGroup var overwrite: OverwriteOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  private struct Report: Encodable {
    struct Device: Encodable {
      var name: String
      var tier: String
      var cost: DeviceCost
    }
    var plan: String
    var folder: String
    var exchanges: Int
    var devices: [Device]
  }

  func run() throws {
    try OutputFiles.checkPlan(output, overwrite)
    let (plan, graph) = try FogModel(reading: model).plan(
      name: FileSystem.name(of: model), sha256: try FileDigest.sha256(path: model))
    let folder = try PlanFolder.write(plan, graph: graph, to: output)
    let report = Report(
      plan: folder.id, folder: folder.path, exchanges: plan.exchanges.count,
      devices: plan.devices.enumerated().map { number, device in
        .init(name: device.name, tier: device.tier ?? "", cost: plan.cost(of: number))
      })
    if json { return try Terminal.printJSON(report) }
    var table = TextTable(
      "device", "tier", "neurons", "weights", "multiply-adds", "sent/frame", "received/frame")
    for device in report.devices {
      table.add(
        device.name, device.tier, "\(device.cost.neurons)", device.cost.weightBytes.asBytes,
        device.cost.multiplyAdds.asCount, device.cost.bytesSent.asBytes,
        device.cost.bytesReceived.asBytes)
    }
    try Terminal.print(table.text)
    try Terminal.print("")
    try Terminal.print("plan \(report.plan): \(report.exchanges) exchanges, in \(report.folder)")
  }
}
