import ModelGraph
import TensorCore

// How each kind of node is rewritten for one device.
extension Lowering {
  mutating func lower(_ index: Int) {
    let node = model.nodes[index]
    switch sharding[node.output] {
    case .full: lowerFull(node)
    case .sharded(let layer, let axis):
      guard !ownNeurons(layer).isEmpty else { return }
      lowerOwn(node, uses: sharding.uses[index], layer: layer, axis: axis)
    }
  }

  // MARK: Own channels

  private mutating func lowerOwn(_ node: Node, uses: [Sharding.Use], layer: Int, axis: Int) {
    let neurons = ownNeurons(layer)
    switch node.operation {
    case .convolution(let attributes) where uses[0] == .own:
      let inputs = [own(node, 0)] + rowConstants(node, from: 1, rows: neurons)
      var depthwise = attributes
      depthwise.groups = neurons.count
      emitOwn(node, operation: .convolution(depthwise), inputs: inputs, layer: layer, axis: axis)
    case .convolution(let attributes):
      lowerWeightedConvolution(node, attributes, neurons: neurons, layer: layer, axis: axis)
    case .dense:
      let last = model[node.inputs[0]].shape.rank - 1
      let input = ordered(node.inputs[0], axis: last)
      var selections = [ConstantSlice.Selection(axis: 0, indices: neurons)]
      if let order = input.order { selections.append(.init(axis: 1, indices: order.sources)) }
      let inputs =
        [input.id, constant(node.inputs[1], selections)]
        + rowConstants(node, from: 2, rows: neurons)
      emitOwn(node, inputs: inputs, layer: layer, axis: axis)
    case .channelAffine:
      let inputs = [own(node, 0)] + rowConstants(node, from: 1, rows: neurons)
      emitOwn(node, inputs: inputs, layer: layer, axis: axis)
    case .binary:
      let inputs = node.inputs.indices.map {
        ownOperand(node, $0, use: uses[$0], neurons: neurons, layer: layer, axis: axis)
      }
      emitOwn(node, inputs: inputs, layer: layer, axis: axis)
    case .slice(var ranges):
      if case .sharded(_, let from) = sharding[node.inputs[0]] {
        ranges[from] = SliceRange(start: 0, count: neurons.count)
      }
      emitOwn(
        node, operation: .slice(ranges), inputs: [own(node, 0)], layer: layer, axis: axis)
    default:
      let constants = node.inputs.dropFirst().map { constant($0) }
      emitOwn(node, inputs: [own(node, 0)] + constants, layer: layer, axis: axis)
    }
  }

  private mutating func lowerWeightedConvolution(
    _ node: Node, _ attributes: Convolution, neurons: [Int], layer: Int, axis: Int
  ) {
    var attributes = attributes
    var selections = [ConstantSlice.Selection(axis: 0, indices: neurons)]
    let input: LoweredValue
    if attributes.groups == 1 {
      input = ordered(node.inputs[0], axis: 1)
      if let order = input.order { selections.append(.init(axis: 1, indices: order.sources)) }
    } else {
      // Each group reads its own run of channels, which only the model's order keeps together.
      input = inFull(node.inputs[0], target: .some(nil))
      let perGroup = model[node.output].shape[1] / attributes.groups
      var counts = [Int](repeating: 0, count: attributes.groups)
      for neuron in neurons { counts[neuron / perGroup] += 1 }
      attributes.groupOutputs = counts
    }
    let inputs =
      [input.id, constant(node.inputs[1], selections)]
      + rowConstants(node, from: 2, rows: neurons)
    emitOwn(
      node, operation: .convolution(attributes), inputs: inputs, layer: layer, axis: axis)
  }

  private mutating func own(_ node: Node, _ operand: Int) -> ValueID {
    guard case .sharded(let layer, let axis) = sharding[node.inputs[operand]] else {
      preconditionFailure("\(node.name) reads a full value as its own channels")
    }
    return ownChannels(node.inputs[operand], layer: layer, axis: axis)
  }

  private mutating func ownOperand(
    _ node: Node, _ operand: Int, use: Sharding.Use, neurons: [Int], layer: Int, axis: Int
  ) -> ValueID {
    let value = node.inputs[operand]
    let operandAxis = axis - (model[node.output].shape.rank - model[value].shape.rank)
    switch use {
    case .own: return ownChannels(value, layer: layer, axis: operandAxis)
    case .full: return inFull(value, target: .some(nil)).id
    case .constant:
      guard operandAxis >= 0, model[value].shape[operandAxis] > 1 else { return constant(value) }
      return constant(value, [.init(axis: operandAxis, indices: neurons)])
    }
  }

  /// Operands from `from` on, which have one row per neuron.
  private mutating func rowConstants(_ node: Node, from: Int, rows: [Int]) -> [ValueID] {
    node.inputs.dropFirst(from).map { constant($0, [.init(axis: 0, indices: rows)]) }
  }

  /// A value in full whose channels may stand in any order along `axis` but no other.
  private mutating func ordered(_ value: ValueID, axis: Int) -> LoweredValue {
    let lowered = inFull(value)
    return lowered.order == nil || lowered.order?.axis == axis
      ? lowered : inFull(value, target: .some(nil))
  }

  // MARK: Full values

  private mutating func lowerFull(_ node: Node) {
    switch node.operation {
    case .convolution where node.isDepthwise(model), .channelAffine:
      let input = ordered(node.inputs[0], axis: 1)
      let rows = input.order?.sources ?? Array(0..<model[node.inputs[0]].shape[1])
      let inputs = [input.id] + rowConstants(node, from: 1, rows: rows)
      emitFull(node, inputs: inputs, order: input.order)
    case .binary: lowerFullBinary(node)
    case .concatenation(let axis): lowerConcatenation(node, axis: axis)
    default:
      if let follow = orderFollowing(node) {
        let input = inFull(node.inputs[0])
        if let order = input.order, let outcome = follow(order) {
          let constants = node.inputs.dropFirst().map { constant($0, outcome.constants) }
          emitFull(node, inputs: [input.id] + constants, order: outcome.order)
          return
        }
      }
      let inputs = node.inputs.map { input in
        computed.contains(input) ? inFull(input, target: .some(nil)).id : constant(input)
      }
      emitFull(node, inputs: inputs)
    }
  }

  /// What an operand's channel order becomes, and how the node's constants must be permuted.
  private typealias OrderOutcome = (order: ChannelOrder?, constants: [ConstantSlice.Selection])

  /// For operators that carry a channel order through; the closure returns nil where they do not.
  private func orderFollowing(_ node: Node) -> ((ChannelOrder) -> OrderOutcome?)? {
    let from = model[node.inputs[0]].shape
    let to = model[node.output].shape
    func moved(_ order: ChannelOrder, _ axis: Int?) -> OrderOutcome? {
      axis.map { (ChannelOrder(axis: $0, sources: order.sources), []) }
    }
    switch node.operation {
    case .activation, .unary: return { ($0, []) }
    case .pooling: return { $0.axis == 1 ? ($0, []) : nil }
    case .softmax: return { ($0, []) }
    case .transpose(let permutation):
      return { moved($0, permutation.firstIndex(of: $0.axis)) }
    case .slice, .pad, .selection:
      let rule = ChannelRule(node: node, graph: model)
      guard case .local(let map) = rule else { return nil }
      return { moved($0, map($0.axis)) }
    case .reduction(let attributes):
      let rule = ChannelRule(node: node, graph: model)
      guard case .local(let map) = rule else { return nil }
      return { attributes.axes.contains($0.axis) ? (nil, []) : moved($0, map($0.axis)) }
    case .layerNormalization(let attributes):
      return { order in
        guard let position = attributes.axes.firstIndex(of: order.axis) else { return (order, []) }
        return (order, [.init(axis: position, indices: order.sources)])
      }
    case .reshape:
      return { order in
        if let axis = from.axis(order.axis, carriedTo: to) { return moved(order, axis) }
        guard let merged = from.axis(order.axis, mergedInto: to) else { return nil }
        let sources = order.sources.flatMap { source in
          (0..<merged.factor).map { source * merged.factor + $0 }
        }
        return (ChannelOrder(axis: merged.axis, sources: sources), [])
      }
    default: return nil
    }
  }

  private mutating func lowerFullBinary(_ node: Node) {
    let rank = model[node.output].shape.rank
    let dynamic = node.inputs.filter { computed.contains($0) }
    // The order of the output: that of an operand that is already here, so that a value which is
    // still to be gathered can be gathered straight into it.
    let lead = dynamic.first { full[$0] != nil } ?? dynamic[0]
    let leadValue = inFull(lead)
    var order = leadValue.order
    order?.axis += rank - model[lead].shape.rank
    let spans = order.map { model[node.output].shape[$0.axis] == $0.sources.count } ?? true
    if !spans { order = nil }
    var inputs: [ValueID] = []
    for value in node.inputs {
      let offset = rank - model[value].shape.rank
      var wanted = order
      wanted?.axis -= offset
      let hasChannels = wanted.map { $0.axis >= 0 && model[value].shape[$0.axis] > 1 } ?? false
      if computed.contains(value) {
        inputs.append(inFull(value, target: .some(hasChannels ? wanted : nil)).id)
      } else if hasChannels, let wanted {
        inputs.append(constant(value, [.init(axis: wanted.axis, indices: wanted.sources)]))
      } else {
        inputs.append(constant(value))
      }
    }
    emitFull(node, inputs: inputs, order: order)
  }

  private mutating func lowerConcatenation(_ node: Node, axis: Int) {
    var sources: [Int] = []
    var inputs: [ValueID] = []
    var start = 0
    for value in node.inputs {
      let extent = model[value].shape[axis]
      guard computed.contains(value) else {
        inputs.append(constant(value))
        sources += start..<(start + extent)
        start += extent
        continue
      }
      let input = ordered(value, axis: axis)
      inputs.append(input.id)
      sources += input.order?.sources.map { $0 + start } ?? Array(start..<(start + extent))
      start += extent
    }
    let isIdentity = sources.elementsEqual(0..<sources.count)
    emitFull(
      node, inputs: inputs, order: isIdentity ? nil : ChannelOrder(axis: axis, sources: sources))
  }

  // MARK: Finishing

  /// Keeps what the device's parts need (for the client: the outputs), in order of stages.
  mutating func finish() -> DeviceProgram {
    var publications: [(exchange: Int, value: ValueID)] = []
    if device == nil {
      graph.outputs = model.outputs.map { inFull($0, target: .some(nil)).id }
    } else {
      for (number, value) in sharding.exchanges.enumerated() {
        if let id = own[value] { publications.append((number, id)) }
      }
      graph.outputs = publications.map(\.value)
    }
    return ProgramAssembly(
      graph: graph, publications: publications, gatherings: gatherings, slices: slices,
      exchangeStages: sharding.exchangeStages
    ).program()
  }
}
