package import Foundations
import Tensors

/// A topology that has been checked and resolved: what each unit adds up and computes, in an order
/// in which it can be computed.
package struct FogDesign: Sendable, Equatable {
  /// What was given.
  package let topology: FogTopology
  /// Every unit after those that it hears from; the cloud's is the last.
  package let units: [FogUnit]
  /// Elements of one sample.
  package let sampleCount: Int
  /// Numbers of the nodes that may fail: all but the cloud, in the file's order.
  package let fallible: [Int]
  /// The cloud's number.
  package let cloud: Int

  /// The most nodes that a topology may have.
  package static let maximumNodes = 64
  /// The most layers that a network may have.
  package static let maximumLayers = 10_000
  /// The most weights that a network may have, and elements that a layer may put out.
  package static let maximumParameters = 1 << 28

  /// Checks and resolves a topology.
  ///
  /// - Throws: `invalidArgument` or `invalidShape`, naming the node or connection: names that are
  ///   unusable, unknown or used twice; cycles; nodes that hear nothing or that the cloud does not
  ///   hear of; images that do not fit each other; a last layer of another width than there are
  ///   classes; probabilities that are none.
  package init(_ topology: FogTopology) throws(MartletError) {
    self.topology = topology
    try FogCheck.names(topology)
    cloud = try FogCheck.cloud(topology)
    try FogCheck.settings(topology)
    sampleCount = try FogCheck.sources(topology)
    let order = try FogCheck.order(topology)
    try FogCheck.flow(topology, cloud: topology.nodes[cloud].name)
    var resolution = FogResolution(topology)
    for node in order { try resolution.add(node: node) }
    units = resolution.units
    let output = units[units.count - 1].output
    guard output.dimensions == [topology.classes] else {
      throw MartletError(
        .invalidShape, "the cloud's last layer does not have one unit for each class",
        context: [
          "node": topology.nodes[cloud].name, "output": "\(output)",
          "classes": "\(topology.classes)",
        ])
    }
    let cloud = cloud
    fallible = topology.nodes.indices.filter { $0 != cloud }
  }

  /// The unit of a physical node's own layers.
  package func unit(ofNode node: Int) -> Int {
    units.firstIndex { $0.name == topology.nodes[node].name } ?? 0
  }

  /// The survival probability of each node in a setting, by number.
  package func survival(_ setting: FogTopology.Setting) -> [Double] {
    topology.nodes.map { setting.survival[$0.name] ?? 1 }
  }

  /// The setting of that name.
  ///
  /// - Throws: `notFound`, naming those that there are.
  package func setting(_ name: String) throws(MartletError) -> FogTopology.Setting {
    if let setting = topology.settings.first(where: { $0.name == name }) { return setting }
    throw MartletError(
      .notFound, "the topology has no such reliability setting", context: ["setting": name],
      hint: topology.settings.isEmpty
        ? "it has none" : "it has " + topology.settings.map(\.name).joined(separator: ", "))
  }

  /// Which units have an output when only these nodes are there (definitions 1 and 4): a unit is
  /// null when its node has failed, or when everything that arrives is null.
  ///
  /// - Parameter alive: by node.
  package func flow(alive: [Bool]) -> [Bool] {
    var flows: [Bool] = []
    for unit in units {
      let arrives = unit.arrivals.contains { arrival in
        switch arrival.origin {
        case .source: true
        case .unit(let number): flows[number]
        }
      }
      flows.append(alive[unit.node] && arrives)
    }
    return flows
  }
}

/// Turns nodes and hyperconnections into units, one node after the other.
private struct FogResolution {
  private let topology: FogTopology
  private(set) var units: [FogUnit] = []
  private var unitOfNode: [String: Int] = [:]
  private var layers = 0
  private var parameters = 0

  init(_ topology: FogTopology) { self.topology = topology }

  mutating func add(node number: Int) throws(MartletError) {
    let node = topology.nodes[number]
    var arrivals: [FogUnit.Arrival] = []
    var widest: Shape?
    for connection in topology.connections where connection.to == node.name {
      var (origin, shape) = sender(connection.from)
      if let projection = connection.projection {
        let layer = FogLayer(
          .convolution, width: projection.channels, activation: .none, kernel: 1,
          stride: projection.stride)
        let name = connection.from + ">" + node.name
        // The weight applies to what the projection makes.
        let incoming = FogUnit.Arrival(
          origin: origin, weight: 1, count: shape.count, skip: connection.skip)
        shape = try add(
          name, node: number, arrivals: [incoming], input: shape, layers: [layer])
        origin = .unit(units.count - 1)
      }
      if let other = widest, !fits(other, shape) {
        throw MartletError(
          .invalidShape, "what arrives at a node cannot be added up",
          context: ["node": node.name, "from": connection.from, "shapes": "\(other), \(shape)"],
          hint: "images need equal height and width; a projection can fit them")
      }
      if widest.map({ shape.count > $0.count }) ?? true { widest = shape }
      arrivals.append(
        FogUnit.Arrival(
          origin: origin, weight: connection.weight, count: shape.count, skip: connection.skip))
    }
    _ = try add(
      node.name, node: number, arrivals: arrivals, input: widest ?? [0], layers: node.layers)
    unitOfNode[node.name] = units.count - 1
  }

  private func sender(_ name: String) -> (FogUnit.Origin, Shape) {
    if let unit = unitOfNode[name] { return (.unit(unit), units[unit].output) }
    let source = topology.sources.firstIndex { $0.name == name } ?? 0
    return (.source(source), Shape(topology.sources[source].shape))
  }

  /// Vectors of any widths can be padded; images need the same height and width.
  private func fits(_ a: Shape, _ b: Shape) -> Bool {
    a.rank == b.rank && (a.rank == 1 || a.dimensions[1...] == b.dimensions[1...])
  }

  private mutating func add(
    _ name: String, node: Int, arrivals: [FogUnit.Arrival], input: Shape, layers: [FogLayer]
  ) throws(MartletError) -> Shape {
    var unit = FogUnit(name: name, node: node, arrivals: arrivals, input: input, layers: [])
    var shape = input
    for layer in layers {
      guard (1...1000).contains(layer.count) else {
        throw MartletError(
          .invalidShape, "a layer's count must be 1 to 1000",
          context: ["node": name, "layer": layer.kind.rawValue, "count": "\(layer.count)"])
      }
      for _ in 0..<layer.count {
        let output: Shape
        do { output = try layer.outputShape(shape) } catch { throw error.adding("node", name) }
        var one = layer
        one.count = 1
        let prefix = "\(name).\(unit.layers.count)"
        unit.layers.append(
          FogUnit.Layer(
            kind: one, input: shape, output: output,
            weights: layer.weights(shape) == nil ? nil : prefix + ".weight",
            bias: layer.hasBias ? prefix + ".bias" : nil))
        try charge(unit.layers[unit.layers.count - 1], of: name)
        shape = output
      }
    }
    units.append(unit)
    return shape
  }

  /// Bounds what a file may ask for, layer by layer, before numbers get too large to add up.
  private mutating func charge(_ layer: FogUnit.Layer, of name: String) throws(MartletError) {
    layers += 1
    parameters += layer.kind.weights(layer.input)?.shape.count ?? 0
    guard layers <= FogDesign.maximumLayers, parameters <= FogDesign.maximumParameters,
      layer.output.count <= FogDesign.maximumParameters
    else {
      throw MartletError(
        .resourceExhausted, "the network is too large",
        context: ["node": name, "layers": "\(layers)", "weights": "\(parameters)"],
        hint: "it may have \(FogDesign.maximumLayers) layers and "
          + "\(FogDesign.maximumParameters) weights")
    }
  }
}
