import ModelGraph
import TensorCore

/// Which original channel stands at each position along one axis of a value.
struct ChannelOrder: Hashable {
  var axis: Int
  var sources: [Int]

  /// Where each original channel went.
  var positions: [Int] {
    var result = [Int](repeating: 0, count: sources.count)
    for (position, source) in sources.enumerated() { result[source] = position }
    return result
  }
}

/// A value of a device's graph, with the order of its channels; nil is the model's own order.
struct LoweredValue {
  var id: ValueID
  var order: ChannelOrder?
}

/// Builds one device's graph from the model's graph, its sharding and the placement of neurons.
///
/// Values appear in up to two forms: in full (perhaps with channels in another order, so that each
/// device's part is one contiguous run), and as the device's own channels. Readers permute their
/// weights to match, which costs nothing at run time; only a reader that cannot is given a copy in
/// the model's order.
struct Lowering {
  let model: Graph
  let sharding: Sharding
  /// Neurons of each device, by layer then device, ascending.
  let parts: [[[Int]]]
  let exchangeIDs: [String]
  /// Nil builds the client's graph, which owns no neurons and computes the outputs.
  let device: Int?

  let computed: Set<ValueID>
  let exchangeNumber: [ValueID: Int]
  var graph: Graph
  var full: [ValueID: LoweredValue] = [:]
  var own: [ValueID: ValueID] = [:]
  var gatherings: [DeviceProgram.Gathering] = []
  var slices: [ValueID: ConstantSlice] = [:]
  private var sliceValues: [ConstantSlice: ValueID] = [:]

  init(
    model: Graph, sharding: Sharding, parts: [[[Int]]], exchangeIDs: [String], device: Int?
  ) {
    self.model = model
    self.sharding = sharding
    self.parts = parts
    self.exchangeIDs = exchangeIDs
    self.device = device
    computed = model.computedValues
    exchangeNumber = Dictionary(
      uniqueKeysWithValues: sharding.exchanges.enumerated().map { ($1, $0) })
    graph = Graph(name: model.name)
    for input in model.inputs {
      let id = graph.add(model[input])
      graph.inputs.append(id)
      full[input] = LoweredValue(id: id)
    }
  }

  /// The device's graph: built node by node, then reduced to what its parts (or, for the client, the
  /// outputs) need.
  static func program(
    model: Graph, sharding: Sharding, parts: [[[Int]]], exchangeIDs: [String], device: Int?
  ) -> DeviceProgram {
    var lowering = Lowering(
      model: model, sharding: sharding, parts: parts, exchangeIDs: exchangeIDs, device: device)
    for index in model.nodes.indices { lowering.lower(index) }
    return lowering.finish()
  }

  /// This device's neurons of a layer.
  func ownNeurons(_ layer: Int) -> [Int] { device.map { parts[layer][$0] } ?? [] }

  // MARK: Operands

  /// A value in full, gathered if need be. With `target` the channels are in that order (nil: the
  /// model's); without, in whatever order is cheapest.
  mutating func inFull(_ value: ValueID, target: ChannelOrder?? = nil) -> LoweredValue {
    let lowered = full[value] ?? gathered(value, target: target)
    guard let target, lowered.order != target else { return lowered }
    return reordered(lowered, to: target)
  }

  private mutating func gathered(_ value: ValueID, target: ChannelOrder??) -> LoweredValue {
    guard case .sharded(let layer, let axis) = sharding[value], let number = exchangeNumber[value]
    else { preconditionFailure("\(model[value].name) is neither full nor exchanged") }
    let arrival = parts[layer].flatMap { $0 }
    let order: ChannelOrder?
    if let target, target == nil || target?.axis == axis {
      order = target ?? nil
    } else {
      order = ChannelOrder(axis: axis, sources: arrival)
    }
    let position = order?.positions ?? Array(0..<arrival.count)
    let destinations = arrival.map { position[$0] }
    let isContiguous = destinations.elementsEqual(0..<arrival.count)
    let id = graph.add(model[value])
    let extents = parts[layer].map(\.count)
    graph.nodes.append(
      Node(
        name: exchangeIDs[number],
        operation: .exchange(Exchange(layer: exchangeIDs[number], axis: axis, extents: extents)),
        inputs: own[value].map { [$0] } ?? [], output: id))
    gatherings.append(
      DeviceProgram.Gathering(
        exchange: number, node: graph.nodes.count - 1,
        destinations: isContiguous ? nil : destinations))
    let isIdentity = order?.sources.elementsEqual(0..<arrival.count) ?? true
    let lowered = LoweredValue(id: id, order: isIdentity ? nil : order)
    full[value] = lowered
    return lowered
  }

  /// A copy with the channels in another order.
  private mutating func reordered(_ value: LoweredValue, to target: ChannelOrder?) -> LoweredValue {
    // Through the model's order when the axes differ; otherwise directly.
    if let order = value.order, let target, order.axis != target.axis {
      return reordered(reordered(value, to: nil), to: target)
    }
    guard let axis = value.order?.axis ?? target?.axis else { return value }
    let count = graph[value.id].shape[axis]
    let current = value.order?.positions ?? Array(0..<count)
    let wanted = target?.sources ?? Array(0..<count)
    let id = select(value.id, axis: axis, indices: wanted.map { current[$0] }, suffix: "reordered")
    return LoweredValue(id: id, order: target)
  }

  /// This device's channels of a value that is full or sharded.
  mutating func ownChannels(_ value: ValueID, layer: Int, axis: Int) -> ValueID {
    if let id = own[value] { return id }
    let whole = inFull(value)
    let source: LoweredValue =
      whole.order == nil || whole.order?.axis == axis ? whole : reordered(whole, to: nil)
    let positions = source.order?.positions
    let indices = ownNeurons(layer).map { positions?[$0] ?? $0 }
    return select(source.id, axis: axis, indices: indices, suffix: "own")
  }

  private mutating func select(
    _ value: ValueID, axis: Int, indices: [Int], suffix: String
  ) -> ValueID {
    let source = graph[value]
    let name = "\(source.name).\(suffix)\(graph.values.count)"
    let id = graph.add(
      Graph.Value(name: name, shape: source.shape.replacing(axis: axis, with: indices.count)))
    graph.nodes.append(
      Node(
        name: name, operation: .selection(axis: axis, indices: indices), inputs: [value],
        output: id))
    return id
  }

  /// A constant with chosen indices along some axes.
  mutating func constant(_ value: ValueID, _ selections: [ConstantSlice.Selection] = []) -> ValueID
  {
    let shape = model[value].shape
    let needed = selections.filter { !$0.indices.elementsEqual(0..<shape[$0.axis]) }
    let slice = ConstantSlice(source: value, selections: needed)
    if let id = sliceValues[slice] { return id }
    var description = model[value]
    description.shape = slice.shape(from: description.shape)
    if !needed.isEmpty && sliceValues.keys.contains(where: { $0.source == value }) {
      description.name += "#\(sliceValues.count)"
    }
    let id = graph.add(description)
    sliceValues[slice] = id
    slices[id] = slice
    return id
  }

  // MARK: Results

  /// Adds a node that computes a value in full.
  mutating func emitFull(
    _ node: Node, operation: Operation? = nil, inputs: [ValueID], order: ChannelOrder? = nil
  ) {
    let id = graph.add(model[node.output])
    graph.nodes.append(
      Node(name: node.name, operation: operation ?? node.operation, inputs: inputs, output: id))
    full[node.output] = LoweredValue(id: id, order: order)
  }

  /// Adds a node that computes this device's channels of a value.
  mutating func emitOwn(
    _ node: Node, operation: Operation? = nil, inputs: [ValueID], layer: Int, axis: Int
  ) {
    var description = model[node.output]
    description.shape = description.shape.replacing(axis: axis, with: ownNeurons(layer).count)
    let id = graph.add(description)
    graph.nodes.append(
      Node(name: node.name, operation: operation ?? node.operation, inputs: inputs, output: id))
    own[node.output] = id
  }
}
