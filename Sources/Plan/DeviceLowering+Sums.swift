import ModelGraph
import Tensors

// Values to which every device contributes a part of their size, and which everybody adds up.
extension DeviceLowering {
  /// Gathers the parts of a sum, one behind the other.
  ///
  /// - Parameters:
  ///   - number: the exchange.
  ///   - part: this device's, with an extent of one along axis 0.
  ///   - factors: by device, what its part is multiplied with; nil where it has none.
  /// - Returns: the parts, and what makes the sum of them: in the order of the devices, so that everybody
  ///   comes to the same.
  mutating func gatherParts(
    of value: ValueID, number: Int, part: ValueID?, factors: [Float?]
  ) -> (parts: ValueID, sum: Operation) {
    var description = model[value]
    description.name += ".parts"
    description.shape = description.shape.replacing(axis: 0, with: factors.count)
    let parts = GatheredParts(
      factors.indices.compactMap { sender in
        GatheredParts.part(
          of: sender, neurons: factors[sender] == nil ? [] : [sender], shape: description.shape,
          axis: 0
        ) { $0 }
      })
    let gathered = gather(number, parts: parts, axis: 0, own: part, description: description)
    let terms = factors.indices.compactMap { sender in
      factors[sender].map { Combination.Term(index: sender, factor: $0) }
    }
    return (gathered, .combination(Combination(axis: 0, rows: [terms])))
  }

  /// The end of a pair: what this device's hidden neurons contribute to its result, the exchange of that,
  /// and from all devices' the result.
  mutating func lowerPairEnd(_ index: Int) {
    let node = model.nodes[index]
    guard case .sharded(let layer, let axis) = sharding[node.inputs[0]],
      let number = plan.exchangeNumber(of: node.output, isDecoded: false)
    else { preconditionFailure("\(node.name) ends no pair") }
    let (linear, activation) = node.operation.splittingActivation()
    var part: ValueID?
    // Each neuron is on one device, so that there is one block.
    if let neurons = ownBlocks(layer).first {
      let inputs = [
        ownChannels(node.inputs[0], layer: layer, axis: axis, block: 0),
        constant(node.inputs[1], axis: 1, indices: neurons),
      ]
      let own = emit(
        node, operation: linear, inputs: inputs, axis: 0, count: 1, suffix: ".part")
      publications.append((number, own))
      part = own
    }
    let assignment = layers[layer]
    let (parts, sum) = gatherParts(
      of: node.output, number: number, part: part,
      factors: plan.devices.indices.map { assignment.sent(by: $0).isEmpty ? nil : 1 })
    var steps = [(operation: sum, operands: [parts])]
    if node.inputs.count > 2 {
      steps.append((.binary(.add), [biasOperand(node)]))
    }
    if let activation { steps.append((.activation(activation), [])) }
    var last: [ValueID] = []
    for (operation, operands) in steps.dropLast() {
      last = [
        emit(
          node, operation: operation, inputs: last + operands, axis: 0, count: 1,
          suffix: ".\(operation.kindName)")
      ]
    }
    guard let end = steps.last else { return }
    emitFull(node, operation: end.operation, inputs: last + end.operands)
  }

  /// The bias of a weighted node in a shape in which it can be added to the result.
  private mutating func biasOperand(_ node: Node) -> ValueID {
    let bias = constant(node.inputs[2])
    guard case .convolution = node.operation else { return bias }
    let shape = Shape([1, model[node.output].shape[1], 1, 1])
    let name = node.name + ".bias"
    let id = graph.add(Graph.Value(name: name, shape: shape))
    graph.nodes.append(Node(name: name, operation: .reshape, inputs: [bias], output: id))
    return id
  }
}
