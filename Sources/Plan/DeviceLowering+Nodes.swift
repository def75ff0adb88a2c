import Foundations
import ModelGraph
import Tensors

// How each kind of node is rewritten for one device.
extension DeviceLowering {
  mutating func lower(_ index: Int) {
    let node = model.nodes[index]
    if let site = decoded[index] { return lowerDecoded(node, site) }
    guard sharding.strips?.sums.contains(index) != true else { return lowerSum(index) }
    guard !sharding.pairs.contains(index) else { return lowerPairEnd(index) }
    switch sharding[node.output] {
    case .full: lowerFull(node)
    case .rows(let axis): lowerRows(index, axis: axis)
    case .sharded(let layer, let axis):
      let blocks = ownBlocks(layer)
      guard !blocks.isEmpty else { return }
      guard sharding.layers[layer].block == nil else {
        // The device computes all of it: nothing to cut, and what it reads of itself is here.
        lowerFull(node)
        own[node.output] = full[node.output].map { [$0] }
        return
      }
      own[node.output] = blocks.indices.map { block in
        lowerBlock(node, uses: sharding.uses[index], layer: layer, axis: axis, block: block)
      }
    }
  }

  private mutating func lowerFull(_ node: Node) {
    emitFull(node, inputs: node.inputs.map { inFull($0) })
  }

  // MARK: Own channels

  private mutating func lowerBlock(
    _ node: Node, uses: [Sharding.Use], layer: Int, axis: Int, block: Int
  ) -> ValueID {
    let neurons = ownBlocks(layer)[block]
    var operation = node.operation
    let inputs: [ValueID]
    switch node.operation {
    case .convolution(var attributes) where uses[0] == .own:
      attributes.groups = neurons.count
      operation = .convolution(attributes)
      inputs = [own(node, 0, layer, axis, block)] + rowConstants(node, rows: neurons)
    case .convolution, .dense:
      operation = weighted(node, rows: neurons)
      inputs = [inFull(node.inputs[0])] + rowConstants(node, rows: neurons)
    case .channelAffine:
      inputs = [own(node, 0, layer, axis, block)] + rowConstants(node, rows: neurons)
    case .binary, .choice:
      inputs = node.inputs.indices.map {
        operand(node, $0, use: uses[$0], layer: layer, axis: axis, block: block)
      }
    case .slice(var ranges):
      if case .sharded(_, let from) = sharding[node.inputs[0]] {
        ranges[from] = SliceRange(start: 0, count: neurons.count)
      }
      operation = .slice(ranges)
      inputs = [own(node, 0, layer, axis, block)]
    default:
      inputs =
        [own(node, 0, layer, axis, block)] + node.inputs.dropFirst().map { constant($0) }
    }
    return emit(
      node, operation: operation, inputs: inputs, axis: axis, count: neurons.count,
      suffix: block == 0 ? "" : ".block\(block)")
  }

  /// A weighted node's operation for some of its rows.
  private func weighted(_ node: Node, rows: [Int]) -> Operation {
    guard case .convolution(var attributes) = node.operation, attributes.groups > 1 else {
      return node.operation
    }
    let perGroup = model[node.output].shape[1] / attributes.groups
    var counts = [Int](repeating: 0, count: attributes.groups)
    for neuron in rows { counts[neuron / perGroup] += 1 }
    attributes.groupOutputs = counts
    return .convolution(attributes)
  }

  private mutating func own(
    _ node: Node, _ operand: Int, _ layer: Int, _ axis: Int, _ block: Int
  ) -> ValueID {
    let value = node.inputs[operand]
    guard case .sharded(_, let from) = sharding[value] else {
      // A decoded value behind which the layer is sharded again; a depthwise convolution keeps axes.
      return ownChannels(value, layer: layer, axis: axis, block: block)
    }
    return ownChannels(value, layer: layer, axis: from, block: block)
  }

  private mutating func operand(
    _ node: Node, _ operand: Int, use: Sharding.Use, layer: Int, axis: Int, block: Int
  ) -> ValueID {
    let value = node.inputs[operand]
    let operandAxis = axis - (model[node.output].shape.rank - model[value].shape.rank)
    switch use {
    case .own: return ownChannels(value, layer: layer, axis: operandAxis, block: block)
    case .full, .rows: return inFull(value)
    case .constant:
      guard operandAxis >= 0, model[value].shape[operandAxis] > 1 else { return constant(value) }
      return constant(value, axis: operandAxis, indices: ownBlocks(layer)[block])
    }
  }

  /// The constants after the first operand, which have one row per neuron.
  private mutating func rowConstants(_ node: Node, rows: [Int]) -> [ValueID] {
    node.inputs.dropFirst().map { constant($0, indices: rows) }
  }

  // MARK: Decoding

  /// Own rows and parity rows before the activation, their exchange, the decoding, the activation.
  private mutating func lowerDecoded(_ node: Node, _ site: Sharding.DecodedNode) {
    let assignment = layers[site.layer]
    guard let recovery = assignment.recovery,
      let number = plan.exchangeNumber(of: node.output, isDecoded: true)
    else { preconditionFailure("\(node.name) is decoded without a code") }
    let (linear, activation) = node.operation.splittingActivation()
    let shape = model[node.output].shape

    // A device that is only probed sends rows that nobody reads: others stand in for it.
    let used = Set(recovery.rows.joined().map(\.index))
    let parts = GatheredParts(
      senders.compactMap { device in
        let rows = plan.rawRows(of: device, layer: site.layer, recovery, blocks: assignment.blocks)
        return GatheredParts.part(of: device, neurons: rows, shape: shape, axis: site.axis) {
          gathersEverything || used.contains($0) ? $0 : nil
        }
      })
    var rows: [ValueID] = []
    if let device {
      if let primaries = plan.primaryBlock(of: device, layer: site.layer, assignment.blocks) {
        let inputs = [inFull(node.inputs[0])] + rowConstants(node, rows: primaries)
        rows.append(
          emit(
            node, operation: linear, inputs: inputs, axis: site.axis, count: primaries.count,
            suffix: ".raw"))
      }
      for parity in recovery.parity where parity.device == device {
        let sums = plan.paritySums(layer: site.layer, parity)
        let inputs =
          [inFull(node.inputs[0])] + node.inputs.dropFirst().map { constant($0, sums: sums) }
        rows.append(
          emit(
            node, operation: linear, inputs: inputs, axis: site.axis, count: parity.width,
            suffix: ".parity\(parity.stripe)-\(parity.number)"))
      }
    }
    let own =
      rows.count > 1
      ? concatenate(rows, axis: site.axis, name: node.name + ".rows") : rows.first
    if let own { publications.append((number, own)) }
    var description = model[node.output]
    description.name += ".gathered"
    description.shape = shape.replacing(axis: site.axis, with: recovery.extent)
    let gathered = gather(
      number, parts: parts, axis: site.axis, own: own, description: description)

    let combination = Operation.combination(Combination(axis: site.axis, rows: recovery.rows))
    guard let activation else {
      return emitFull(node, operation: combination, inputs: [gathered])
    }
    let raw = emit(
      node, operation: combination, inputs: [gathered], axis: site.axis, count: shape[site.axis],
      suffix: ".decoded")
    emitFull(node, operation: .activation(activation), inputs: [raw])
  }
}

extension Operation {
  /// A weighted operation without its activation, and the activation.
  func splittingActivation() -> (linear: Operation, activation: Activation?) {
    switch self {
    case .convolution(var attributes):
      let activation = attributes.activation
      attributes.activation = nil
      return (.convolution(attributes), activation)
    case .dense(var attributes):
      let activation = attributes.activation
      attributes.activation = nil
      return (.dense(attributes), activation)
    default: return (self, nil)
    }
  }
}

extension Plan {
  /// The block that a device is the primary of, if it computes it.
  func primaryBlock(of device: Int, layer: Int, _ blocks: [[[Int]]]) -> [Int]? {
    guard let first = blocks[device].first, placements[layer].holders[first[0]][0] == device else {
      return nil
    }
    return first
  }

  /// The rows of a gathered value that a device supplies for decoding, in the order of its part.
  func rawRows(
    of device: Int, layer: Int, _ recovery: LayerAssignment.Recovery, blocks: [[[Int]]]
  ) -> [Int] {
    (primaryBlock(of: device, layer: layer, blocks) ?? [])
      + recovery.parity.filter { $0.device == device }.flatMap { $0.start..<($0.start + $0.width) }
  }

  /// The rows of a parity block as sums of the layer's rows.
  func paritySums(layer: Int, _ parity: LayerAssignment.Recovery.Parity) -> [[Combination.Term]] {
    guard let stripe = placements[layer].code?.stripes[parity.stripe] else { return [] }
    let coefficients = stripe.parity[parity.number].coefficients
    return (0..<stripe.width).map { row in
      zip(stripe.data, coefficients).compactMap { block, factor in
        row < block.neurons.count && factor != 0
          ? Combination.Term(index: block.neurons[row], factor: factor) : nil
      }
    }
  }
}
