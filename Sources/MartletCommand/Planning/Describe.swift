import ArgumentParser
import Foundations
import Kernels
import ModelGraph
import Tables
import Tensors

/// `martlet describe`: what a model consists of.
struct Describe: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists a model's nodes, shapes, parameters and multiply-adds.",
    discussion: """
      Shows the graph as it is run: batch normalisation folded, activations fused, and what follows
      from constants computed. In memory some weights take another form than in files.

      With --operators it lists the ONNX operators that models may have, the versions of the operator
      set in which each can be read, and what of it cannot. Those for constants only are for shape
      arithmetic, masks and tables: whatever follows from a model's constants and its shapes is
      computed when it is read.

      Examples:
        martlet describe model.onnx
        martlet describe model.onnx --time
        martlet describe model.onnx --weights i8
        martlet describe model.onnx --dimension height=224 --dimension width=224
        martlet describe model.onnx --json | jq .parameters
        martlet describe --operators
      """)

  @Argument(help: "An ONNX file.", completion: .file(extensions: ["onnx"]))
  var model: String?

  @OptionGroup var extents: ExtentOptions

  @OptionGroup var stored: WeightOptions

  @Flag(help: "List the operators that can be read, without a model.")
  var operators = false

  @Flag(help: "Run the model once on zeros and show the time of each node.")
  var time = false

  @Flag(help: "Print one JSON object.")
  var json = false

  private struct Row: Encodable {
    var name: String
    var operation: String
    var shape: Shape
    var parameters: Int
    var multiplyAdds: Int
    var milliseconds: Double?

    private enum CodingKeys: String, CodingKey {
      case name, operation, shape, parameters, milliseconds
      case multiplyAdds = "multiply_adds"
    }
  }

  private struct Port: Encodable {
    var name: String
    var shape: Shape
  }

  private struct Summary: Encodable {
    var model: String
    var inputs: [Port]
    var outputs: [Port]
    var parameters: Int
    var weights: String
    var weightBytes: Int
    var loadedWeightBytes: Int
    var multiplyAdds: Int
    var arenaBytes: Int
    var nodes: [Row]

    private enum CodingKeys: String, CodingKey {
      case model, inputs, outputs, parameters, weights, nodes
      case weightBytes = "weight_bytes"
      case loadedWeightBytes = "loaded_weight_bytes"
      case multiplyAdds = "multiply_adds"
      case arenaBytes = "arena_bytes"
    }
  }

  func validate() throws {
    guard operators == (model == nil), !operators || !time else {
      throw ValidationError(
        operators
          ? "--operators takes no model and no --time"
          : "Missing expected argument '<model>' (or --operators)")
    }
  }

  func run() throws {
    guard let model else { return try OperatorReport().print(json: json) }
    let graph = try extents.graph(of: model)
    var rows = graph.nodes.map { node in
      Row(
        name: node.name, operation: node.operation.kind, shape: graph[node.output].shape,
        parameters: graph.parameters(of: node), multiplyAdds: graph.multiplyAdds(of: node))
    }
    stored.weights.tellUnstorable(of: graph)
    let program = try Program(graph, weights: stored.weights)
    if time {
      let execution = try Execution(program)
      for input in graph.inputs { execution.withMutableValue(input) { $0.update(repeating: 0) } }
      execution.run(stage: 0)
      for (index, seconds) in execution.runTimed(stage: 0).enumerated() {
        rows[index].milliseconds = seconds * 1e3
      }
    }
    func ports(_ ids: [ValueID]) -> [Port] {
      ids.map { Port(name: graph[$0].name, shape: graph[$0].shape) }
    }
    // A constant that two nodes share counts once.
    let parameters = graph.constants.values.reduce(0) { $0 + $1.shape.count }
    let summary = Summary(
      model: graph.name, inputs: ports(graph.inputs), outputs: ports(graph.outputs),
      parameters: parameters, weights: stored.weights.rawValue,
      weightBytes: graph.constantBytes(as: stored.weights), loadedWeightBytes: program.weightBytes,
      multiplyAdds: rows.reduce(0) { $0 + $1.multiplyAdds }, arenaBytes: program.arenaBytes,
      nodes: rows)
    if json { try Terminal.printJSON(summary) } else { try show(summary) }
  }

  private func show(_ summary: Summary) throws(MartletError) {
    var table = TextTable(
      "node", "operation", "output", "parameters", "multiply-adds", time ? "ms" : "")
    for row in summary.nodes {
      table.add(
        row.name, row.operation, row.shape.description, row.parameters.asCount,
        row.multiplyAdds.asCount, row.milliseconds?.formatted(3) ?? "")
    }
    try Terminal.print(table.text)
    try Terminal.print("")
    try Terminal.print(
      "inputs         \(summary.inputs.map { "\($0.name) \($0.shape)" }.joined(separator: ", "))")
    try Terminal.print(
      "outputs        \(summary.outputs.map { "\($0.name) \($0.shape)" }.joined(separator: ", "))")
    try Terminal.print(
      "parameters     \(summary.parameters.asCount) (\(summary.weightBytes.asBytes) as "
        + "\(summary.weights), \(summary.loadedWeightBytes.asBytes) in memory)")
    try Terminal.print("multiply-adds  \(summary.multiplyAdds.asCount)")
    try Terminal.print("arena          \(summary.arenaBytes.asBytes)")
  }
}
