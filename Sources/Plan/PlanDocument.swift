import Foundations
import ModelCards
import ModelGraph
import Tensors

/// `plan.json`: what a `Plan` is rebuilt from, in a form that people can read.
struct PlanDocument: Codable {
  static let format = "martlet-plan"
  /// What is written: the lowest that has all that a plan needs, so that earlier programs read it too.
  static func version(of plan: Plan) -> Int {
    if !plan.sharding.pairs.isEmpty || plan.weights != .f32 { return 4 }
    return plan.sharding.strips == nil && plan.wire.isEmpty && !plan.dispatchesFrames ? 2 : 3
  }

  /// What can be read. Version 3 brought strips, types on the wire, and frames that go to one device each, on
  /// topics that earlier workers do not read; plans of these made before that have version 2. Version 4
  /// brought pairs of layers, and weights in fewer bytes than float32.
  static let versions = 2...4

  /// The front that is divided by rows: positions of nodes, in ranges.
  struct Front: Codable {
    var nodes: String
    /// Those of them whose results' halos are sent.
    var halos: String

    init(_ strips: Strips, of graph: Graph) {
      nodes = NeuronRanges.format(strips.nodes)
      halos = NeuronRanges.format(
        strips.nodes.filter { strips.halos.contains(graph.nodes[$0].output) })
    }

    func strips(of graph: Graph) throws(MartletError) -> Strips {
      let halos = try NeuronRanges.parse(halos, count: graph.nodes.count)
      return try Strips(
        graph, nodes: try NeuronRanges.parse(nodes, count: graph.nodes.count),
        halos: Set(halos.map { graph.nodes[$0].output }))
    }
  }

  struct Value: Codable {
    var name: String
    var shape: Shape
  }

  struct Structure: Codable {
    var values: [Value]
    var inputs: [ValueID]
    var outputs: [ValueID]
    var constants: [ValueID]
    var nodes: [Node]
  }

  /// The file with what lost channels are filled with.
  struct Constants: Codable {
    var file: String
    var sha256: String
    /// The kind of fill; absent for means.
    var kind: Plan.Fill.Kind?

    init(of kind: Plan.Fill.Kind, file: String, sha256: String) {
      self.kind = kind == Constants.unnamed ? nil : kind
      self.file = file
      self.sha256 = sha256
    }

    /// The kind that the first plans with constants had.
    static let unnamed = Plan.Fill.Kind.mean
  }

  struct Shard: Codable {
    var device: Plan.Device
    var file: String
    var sha256: String
    var weightBytes: Int

    private enum CodingKeys: String, CodingKey {
      case device, file, sha256
      case weightBytes = "weight_bytes"
    }
  }

  var format: String
  var version: Int
  var id: String
  var method: String
  var model: Plan.Model
  var shards: [Shard]
  var client: Shard?
  /// Absent when lost channels are filled with zero.
  var constants: Constants?
  /// Absent where everything is divided by neurons.
  var strips: Front?
  /// The nodes at which pairs of layers end: positions, in ranges; absent without pairs.
  var pairs: String?
  /// How parts travel, by exchange; absent where the plan does not say.
  var wire: [Wire]?
  /// How weights are stored; absent for float32.
  var weights: WeightType?
  var layers: [PlacementDocument]
  var graph: Structure

  private enum CodingKeys: String, CodingKey {
    case format, version, id, method, model, shards, client
    case constants = "means"
    case strips, pairs, wire, weights, layers, graph
  }

  init(_ plan: Plan, shards: [Shard], client: Shard?, constants: Constants?) {
    format = PlanDocument.format
    version = PlanDocument.version(of: plan)
    id = ""
    method = plan.method
    model = plan.model
    self.shards = shards
    self.client = client
    self.constants = constants
    strips = plan.sharding.strips.map { Front($0, of: plan.graph) }
    pairs = plan.sharding.pairs.isEmpty ? nil : NeuronRanges.format(plan.sharding.pairs)
    wire = Wire.all(of: plan)
    weights = plan.weights == .f32 ? nil : plan.weights
    layers = zip(plan.sharding.layers, plan.placements).map {
      PlacementDocument($0, $1, devices: plan.devices)
    }
    graph = Structure(plan.graph)
  }

  /// The plan that this describes, with everything checked that a file could get wrong.
  ///
  /// - Parameter read: reads the file of constants for a fill of that kind.
  func plan(
    constants read: (Constants, Plan.Fill.Kind, Plan) throws(MartletError) -> [[Float]]
  ) throws(MartletError) -> Plan {
    let graph = try graph.graph(name: model.name)
    let sharding = try sharding(of: graph)
    guard layers.map(\.id) == sharding.layers.map(\.id),
      layers.map(\.neurons) == sharding.layers.map(\.neurons)
    else {
      throw MartletError(
        .mismatch, "the layers of the plan are not those of its graph",
        hint: "the plan was made by another version of martlet: run martlet plan again")
    }
    let numbers = Dictionary(
      shards.enumerated().map { ($1.device.name, $0) }, uniquingKeysWith: { first, _ in first })
    let placements = try layers.map { layer throws(MartletError) in
      try layer.placement(devices: numbers)
    }
    func make(_ fill: Plan.Fill) throws(MartletError) -> Plan {
      try Plan(
        model: model, method: method, devices: shards.map(\.device), graph: graph,
        sharding: sharding, placements: placements, fill: fill
      ).storing(weights ?? .f32)
    }
    let plan = try make(.zero)
    guard let constants else { return try travelling(plan) }
    let kind = constants.kind ?? Constants.unnamed
    guard kind.needsImages else {
      throw MartletError(
        .invalidFile, "the plan has constants for a fill that takes none",
        context: ["fill": kind.rawValue])
    }
    return try travelling(make(Plan.Fill(kind, constants: try read(constants, kind, plan))))
  }

  /// By blocks where the layers name their nodes.
  private func sharding(of graph: Graph) throws(MartletError) -> Sharding {
    guard layers.contains(where: { $0.nodes != nil }) else {
      return try Sharding(
        graph, strips: try strips?.strips(of: graph),
        pairs: try pairs.map { pairs throws(MartletError) in
          try NeuronRanges.parse(pairs, count: graph.nodes.count)
        } ?? [])
    }
    guard pairs == nil else {
      throw MartletError(
        .invalidFile, "a plan of whole blocks cannot have pairs of layers",
        hint: "run martlet plan again")
    }
    let blocks = try layers.map { layer throws(MartletError) in
      Sharding.NodeBlock(
        name: layer.id, nodes: try NeuronRanges.parse(layer.nodes ?? "", count: graph.nodes.count))
    }
    return try Sharding(graph, blocks: blocks)
  }
}

extension PlanDocument.Structure {
  init(_ graph: Graph) {
    values = graph.values.map { PlanDocument.Value(name: $0.name, shape: $0.shape) }
    inputs = graph.inputs
    outputs = graph.outputs
    let computed = graph.computedValues
    constants = Set(graph.nodes.flatMap(\.inputs) + graph.outputs).subtracting(computed).sorted()
    nodes = graph.nodes
  }

  /// The graph, valid in every respect but without its constants' elements.
  func graph(name: String) throws(MartletError) -> Graph {
    var graph = Graph(name: name)
    for value in values { _ = graph.add(Graph.Value(name: value.name, shape: value.shape)) }
    graph.inputs = inputs
    graph.outputs = outputs
    graph.nodes = nodes
    try graph.validate(external: Set(constants))
    try Plan.check(graph)
    return graph
  }
}
