import ArgumentParser
import Charts
import FogNetwork
import Foundations
import Tables
import TensorFiles
import Tensors

/// `martlet fog describe`: a topology as text and as a picture.
struct FogDescribe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Checks a topology and draws it.",
    discussion: """
      Examples:
        martlet fog describe topology.json
        martlet fog describe topology.json --svg topology.svg
        martlet fog describe model.fog --no-skips
      """)

  @Argument(help: "A topology file, or a trained network.", completion: .file())
  var topology: String

  @Flag(help: "Leave skip hyperconnections out.")
  var noSkips = false

  @Option(help: "Draw it into an SVG file.", completion: .file(extensions: ["svg"]))
  var svg: String?

  @OptionGroup var overwrite: OverwriteOptions

  @Flag(help: "Print one JSON object.")
  var json = false

  func run() throws {
    try OutputFiles.check([svg], overwrite)
    var design = try FogDesign.load(topology)
    if noSkips { design = try FogDesign(design.topology.withoutSkips) }
    if let svg { try FileSystem.write(Array(design.diagram.svg.utf8), to: svg) }
    if json {
      try Terminal.printJSON(FogDescription(design))
    } else {
      try Terminal.print(design.text)
    }
  }
}

/// What `--json` prints.
private struct FogDescription: Encodable {
  struct Node: Encodable {
    var name: String
    var tier: String
    var inputShape: [Int]
    var outputShape: [Int]
    var parameters: Int
    var hears: [String]

    private enum CodingKeys: String, CodingKey {
      case name, tier, parameters, hears
      case inputShape = "input_shape"
      case outputShape = "output_shape"
    }
  }

  var name: String
  var classes: Int
  var inputs: Int
  var parameters: Int
  var nodes: [Node]
  var noInformation: [String: Double]

  private enum CodingKeys: String, CodingKey {
    case name, classes, inputs, parameters, nodes
    case noInformation = "no_information"
  }

  init(_ design: FogDesign) {
    name = design.topology.name
    classes = design.topology.classes
    inputs = design.sampleCount
    parameters = design.units.reduce(0) { $0 + $1.parameters }
    nodes = design.topology.nodes.indices.map { number in
      let node = design.topology.nodes[number]
      let unit = design.units[design.unit(ofNode: number)]
      return Node(
        name: node.name, tier: node.tier.rawValue, inputShape: unit.input.dimensions,
        outputShape: unit.output.dimensions, parameters: design.parameters(ofNode: number),
        hears: design.topology.connections.filter { $0.to == node.name }.map(\.from))
    }
    noInformation = Dictionary(
      design.topology.settings.compactMap { setting in
        design.noInformation(setting).map { (setting.name, $0) }
      }, uniquingKeysWith: { first, _ in first })
  }
}

extension FogDesign {
  /// Weights and biases on a physical node, projections included.
  func parameters(ofNode number: Int) -> Int {
    units.filter { $0.node == number }.reduce(0) { $0 + $1.parameters }
  }

  /// The probability that nothing reaches the cloud; nil for too many nodes.
  func noInformation(_ setting: FogTopology.Setting) -> Double? {
    guard fallible.count <= 16 else { return nil }
    let survival = survival(setting)
    return FailureCombination.all(nodes: topology.nodes.count, fallible: fallible).reduce(0) {
      $0 + (flow(alive: $1.alive).last == true ? 0 : $1.probability(survival))
    }
  }

  /// For people.
  var text: String {
    let total = units.reduce(0) { $0 + $1.parameters }
    var table = TextTable("tier", "node", "layers", "input", "output", "weights", "hears from")
    for tier in FogTopology.Tier.allCases {
      for (number, node) in topology.nodes.enumerated() where node.tier == tier {
        let unit = units[self.unit(ofNode: number)]
        table.add(
          tier.rawValue, node.name, node.layers.map(\.words).joined(separator: ", "),
          "\(unit.input)", "\(unit.output)", parameters(ofNode: number).asCount,
          topology.connections.filter { $0.to == node.name }.map(\.words).joined(separator: ", "))
      }
    }
    var lines = [
      "\(topology.name): \(sampleCount) inputs, \(topology.classes) classes, "
        + "\(topology.nodes.count) nodes, \(total.asCount) weights",
      "", table.text, "",
    ]
    let width = (topology.sources.map(\.name) + topology.nodes.map(\.name)).map(\.count).max() ?? 0
    for name in topology.sources.map(\.name) + topology.nodes.map(\.name) {
      let arrows = topology.connections.filter { $0.from == name }.map {
        ($0.skip ? "┄┄> " : "──> ") + $0.to
      }
      guard !arrows.isEmpty else { continue }
      let padding = String(repeating: " ", count: width - name.count)
      lines.append("  " + name + padding + "  " + arrows.joined(separator: "  "))
    }
    lines.append("  ──> hyperconnection  ┄┄> skip hyperconnection")
    guard !topology.settings.isEmpty else { return lines.joined(separator: "\n") }
    var settings = TextTable(
      ["survival %"] + fallible.map { topology.nodes[$0].name } + ["no information %"])
    for setting in topology.settings {
      let survival = survival(setting)
      settings.add(
        [setting.name] + fallible.map { (survival[$0] * 100).formatted(1) }
          + [noInformation(setting).map { ($0 * 100).formatted(3) } ?? "-"])
    }
    return (lines + ["", settings.text]).joined(separator: "\n")
  }

  /// As a picture: columns by the longest way from the sources.
  var diagram: LayeredDiagram {
    var columns = Dictionary(uniqueKeysWithValues: topology.sources.map { ($0.name, 0) })
    for unit in units where topology.nodes[unit.node].name == unit.name {
      let senders = topology.connections.filter { $0.to == unit.name }
      columns[unit.name] = (senders.map { columns[$0.from] ?? 0 }.max() ?? 0) + 1
    }
    let names = topology.sources.map(\.name) + topology.nodes.map(\.name)
    let sources = topology.sources.map { source in
      LayeredDiagram.Box(
        lines: [source.name, source.shape.map(String.init).joined(separator: "x")], column: 0,
        group: 7)
    }
    let nodes = topology.nodes.map { node in
      LayeredDiagram.Box(
        lines: [node.name + " (\(node.tier.rawValue))"] + node.layers.map(\.words),
        column: columns[node.name] ?? 0,
        group: [FogTopology.Tier.edge: 2, .fog: 0, .cloud: 1][node.tier] ?? 0)
    }
    return LayeredDiagram(
      title: topology.name,
      description: "Physical nodes and their hyperconnections; skips are dashed. "
        + topology.connections.map { "\($0.from) to \($0.to)\($0.skip ? " (skip)" : "")" }
        .joined(separator: ", ") + ".",
      boxes: sources + nodes,
      arrows: topology.connections.map { connection in
        LayeredDiagram.Arrow(
          from: names.firstIndex(of: connection.from) ?? 0,
          to: names.firstIndex(of: connection.to) ?? 0, isDashed: connection.skip)
      })
  }
}

extension FogLayer {
  /// `2 x dense 250`
  fileprivate var words: String {
    var text = count > 1 ? "\(count) x " : ""
    text += kind.rawValue
    if width > 0 { text += " \(width)" }
    if kernel > 0 { text += " \(kernel)x\(kernel)" }
    if stride > 1 { text += " / \(stride)" }
    return text
  }
}

extension FogTopology.Connection {
  /// `e1 (skip, x 0.9)`
  fileprivate var words: String {
    var notes: [String] = []
    if skip { notes.append("skip") }
    if weight != 1 { notes.append("x \(weight.formatted(3))") }
    if let projection { notes.append("1x1 to \(projection.channels)") }
    return notes.isEmpty ? from : "\(from) (\(notes.joined(separator: ", ")))"
  }
}
