import Foundations
import ModelGraph
import Tensors

/// Builds one device's graph from the model's graph, its sharding and the assignment of neurons.
///
/// Values appear in up to two forms: in full, with the model's channels in the model's order, and as
/// the device's own channels, one value for each block of neurons. Every weight keeps the model's
/// order of inputs, so that it serves in every attendance.
struct DeviceLowering {
  let plan: Plan
  let sharding: Sharding
  let layers: [LayerAssignment]
  /// Whether every copy and every parity block is gathered.
  let gathersEverything: Bool
  /// Nil builds the client's graph, which owns no neurons and computes the outputs.
  let device: Int?

  /// Whether only what is exchanged is of interest: parts and constants, which take the most time where there
  /// are many devices, are then left out.
  let isSketch: Bool

  let model: Graph
  let computed: Set<ValueID>
  let decoded: [Int: Sharding.DecodedNode]
  var graph: Graph
  var full: [ValueID: ValueID] = [:]
  /// One value for each of the device's blocks.
  var own: [ValueID: [ValueID]] = [:]
  var gatherings: [DeviceProgram.Gathering] = []
  var publications: [(exchange: Int, value: ValueID)] = []
  var slices: [ValueID: ConstantSlice] = [:]
  /// Who has which rows; nil unless the front of the model is divided by rows.
  let layout: StripLayout?
  /// This device's rows of divided values.
  var strips: [ValueID: ValueID] = [:]
  /// The same with the rows of others that it reads besides.
  var haloed: [ValueID: ValueID] = [:]
  var rowSlices: [Slice: ValueID] = [:]
  private var joined: [ValueID: ValueID] = [:]
  private var sliceValues: [ConstantSlice: ValueID] = [:]

  init(_ plan: Plan, _ variant: PlanVariant, device: Int?, isSketch: Bool = false) {
    self.plan = plan
    self.isSketch = isSketch
    sharding = variant.sharding
    layers = variant.layers
    gathersEverything = variant.sendsEverything
    self.device = device
    model = plan.graph
    computed = model.computedValues
    decoded = Dictionary(uniqueKeysWithValues: variant.sharding.decoded.map { ($0.node, $0) })
    layout = variant.rowOwners.flatMap { owners in
      variant.sharding.strips.map {
        StripLayout(
          plan.graph, $0, gathered: Set(variant.sharding.exchanges), devices: plan.devices.count,
          owners: owners)
      }
    }
    graph = Graph(name: model.name)
    for input in model.inputs {
      let id = graph.add(model[input])
      graph.inputs.append(id)
      full[input] = id
    }
  }

  /// The device's graph: built node by node, then reduced to what its parts (or, for the client, the
  /// outputs) need.
  static func program(_ plan: Plan, _ variant: PlanVariant, device: Int?) -> DeviceProgram {
    var lowering = DeviceLowering(plan, variant, device: device)
    for index in plan.graph.nodes.indices { lowering.lower(index) }
    return lowering.finish()
  }

  /// The numbers of the exchanges that the device's program gathers.
  static func gatherings(_ plan: Plan, _ variant: PlanVariant, device: Int?) -> [Int] {
    var lowering = DeviceLowering(plan, variant, device: device, isSketch: true)
    for index in plan.graph.nodes.indices { lowering.lower(index) }
    return lowering.finish().gatherings.map(\.exchange)
  }

  /// This device's blocks of a layer's neurons.
  func ownBlocks(_ layer: Int) -> [[Int]] { device.map { layers[layer].blocks[$0] } ?? [] }

  /// The devices whose parts are of interest.
  var senders: Range<Int> { isSketch ? 0..<0 : plan.devices.indices }

  // MARK: Operands

  /// A value in full: a constant, or computed, gathered if need be.
  mutating func inFull(_ value: ValueID) -> ValueID {
    if let id = full[value] { return id }
    guard computed.contains(value) else { return constant(value) }
    guard let number = plan.exchangeNumber(of: value, isDecoded: false) else {
      preconditionFailure("\(model[value].name) is neither full nor exchanged")
    }
    let id: ValueID
    switch sharding[value] {
    case .full: preconditionFailure("\(model[value].name) is full and not there")
    case .rows(let axis): id = gatherRows(value, axis: axis, number: number)
    case .sharded(let layer, let axis):
      let shape = model[value].shape
      let parts =
        isSketch
        ? GatheredParts.nothing
        : gathersEverything
          ? partsOfAllHolders(layer, shape: shape, axis: axis)
          : partsOfOwners(layer, shape: shape, axis: axis)
      id = gather(
        number, parts: parts, axis: axis, own: own[value].map { join($0, axis: axis, of: value) },
        description: model[value])
    }
    full[value] = id
    return id
  }

  /// Adds the exchange.
  mutating func gather(
    _ number: Int, parts: GatheredParts, axis: Int, own: ValueID?,
    description: Graph.Value
  ) -> ValueID {
    let id = graph.add(description)
    let point = plan.exchanges[number]
    graph.nodes.append(
      Node(
        name: point.id,
        operation: .exchange(
          Exchange(layer: point.id, axis: axis, extents: [description.shape[axis]])),
        inputs: own.map { [$0] } ?? [], output: id))
    gatherings.append(
      DeviceProgram.Gathering(
        exchange: number, node: graph.nodes.count - 1, axis: axis, parts: parts.parts,
        slots: parts.slots))
    return id
  }

  /// Blocks side by side: the device's part.
  mutating func join(_ blocks: [ValueID], axis: Int, of value: ValueID) -> ValueID {
    guard blocks.count > 1 else { return blocks[0] }
    if let id = joined[value] { return id }
    let name = model[value].name + ".part"
    let id = concatenate(blocks, axis: axis, name: name)
    joined[value] = id
    return id
  }

  mutating func concatenate(_ values: [ValueID], axis: Int, name: String) -> ValueID {
    let extent = values.reduce(0) { $0 + graph[$1].shape[axis] }
    let id = graph.add(
      Graph.Value(name: name, shape: graph[values[0]].shape.replacing(axis: axis, with: extent)))
    graph.nodes.append(
      Node(name: name, operation: .concatenation(axis: axis), inputs: values, output: id))
    return id
  }

  /// One of this device's blocks of a value that is full or sharded.
  mutating func ownChannels(_ value: ValueID, layer: Int, axis: Int, block: Int) -> ValueID {
    if let blocks = own[value] { return blocks[block] }
    let whole = inFull(value)
    let source = graph[whole]
    let neurons = ownBlocks(layer)[block]
    let name = "\(source.name).own\(graph.values.count)"
    let id = graph.add(
      Graph.Value(name: name, shape: source.shape.replacing(axis: axis, with: neurons.count)))
    graph.nodes.append(
      Node(
        name: name, operation: .selection(axis: axis, indices: neurons), inputs: [whole],
        output: id))
    return id
  }

  /// A constant, or chosen indices of it along an axis, or sums of its rows.
  mutating func constant(
    _ value: ValueID, axis: Int = 0, indices: [Int]? = nil, sums: [[Combination.Term]]? = nil
  ) -> ValueID {
    if isSketch { return graph.add(model[value]) }
    let shape = model[value].shape
    var slice = ConstantSlice(source: value, selections: [], sums: sums)
    if let indices, !indices.elementsEqual(0..<shape[axis]) {
      slice.selections = [.init(axis: axis, indices: indices)]
    }
    if let id = sliceValues[slice] { return id }
    var description = model[value]
    description.shape = slice.shape(from: shape)
    if sliceValues.keys.contains(where: { $0.source == value }) {
      description.name += "#\(sliceValues.count)"
    }
    let id = graph.add(description)
    sliceValues[slice] = id
    slices[id] = slice
    return id
  }

  // MARK: Results

  /// Adds a node that computes a value in full.
  mutating func emitFull(_ node: Node, operation: Operation? = nil, inputs: [ValueID]) {
    let id = graph.add(model[node.output])
    graph.nodes.append(
      Node(name: node.name, operation: operation ?? node.operation, inputs: inputs, output: id))
    full[node.output] = id
  }

  /// Adds a node that computes some rows of a value.
  mutating func emit(
    _ node: Node, operation: Operation, inputs: [ValueID], axis: Int, count: Int, suffix: String
  ) -> ValueID {
    var description = model[node.output]
    description.shape = description.shape.replacing(axis: axis, with: count)
    description.name += suffix
    let id = graph.add(description)
    graph.nodes.append(
      Node(name: node.name + suffix, operation: operation, inputs: inputs, output: id))
    return id
  }

  // MARK: Finishing

  /// Keeps what the device's parts need (for the client: the outputs), in order of stages.
  private mutating func finish() -> DeviceProgram {
    if device == nil {
      graph.outputs = model.outputs.map { inFull($0) }
    } else {
      for value in sharding.exchanges {
        guard let blocks = own[value], case .sharded(_, let axis) = sharding[value],
          let number = plan.exchangeNumber(of: value, isDecoded: false)
        else { continue }
        publications.append((number, join(blocks, axis: axis, of: value)))
      }
      publishRows()
      graph.outputs = publications.map(\.value)
    }
    var stages: [Int: Int] = [:]
    for (value, stage) in zip(sharding.exchanges, sharding.exchangeStages) {
      if let number = plan.exchangeNumber(of: value, isDecoded: false) { stages[number] = stage }
    }
    for (value, stage) in sharding.innerStages {
      if let number = plan.exchangeNumber(of: value, isDecoded: false) { stages[number] = stage }
      for reader in plan.devices.indices {
        if let number = plan.exchangeNumber(of: value, reader: reader) { stages[number] = stage }
      }
    }
    for site in sharding.decoded {
      let value = model.nodes[site.node].output
      if let number = plan.exchangeNumber(of: value, isDecoded: true) {
        stages[number] = site.stage
      }
    }
    return ProgramAssembly(
      graph: graph, publications: publications, gatherings: gatherings, slices: slices,
      exchangeStages: stages
    ).program()
  }
}

extension LayerAssignment {
  /// The neurons of a device's part in the order of its channels. An absent primary's part has what
  /// nobody stands in for.
  func sent(by device: Int) -> [Int] {
    let blocks = blocks[device]
    guard blocks.isEmpty else { return blocks.flatMap { $0 } }
    return owners.indices.filter { owners[$0] == device }
  }
}
