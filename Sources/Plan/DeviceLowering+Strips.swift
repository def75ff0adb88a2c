import Foundations
import ModelGraph
import Tensors

// How nodes that are divided by rows are rewritten for one device.
extension DeviceLowering {
  /// Computes this device's rows of a node's result.
  mutating func lowerRows(_ index: Int, axis: Int) {
    let node = model.nodes[index]
    guard let device, let layout, let rule = RowRule(node, axis: axis, graph: model) else { return }
    let rows = layout.computed(node.output, by: device)
    guard !rows.isEmpty else { return }
    let inputs = zip(node.inputs, rule.operands).map { value, operand in
      let isComputed = computed.contains(value)
      guard case .rows(let from, let reach) = operand else {
        return isComputed ? inFull(value) : constant(value)
      }
      let read = reach.operand(rows)
      return isComputed
        ? self.rows(read, of: value, axis: from)
        : slice(constant(value), axis: from, holding: 0..<model[value].shape[from], read)
    }
    strips[node.output] = emit(
      node, operation: node.operation.forRows(rows, axis: axis, rule), inputs: inputs, axis: axis,
      count: rows.count, suffix: "")
  }

  /// Some rows of a value, of this device's own or gathered.
  private mutating func rows(_ rows: Range<Int>, of value: ValueID, axis: Int) -> ValueID {
    guard let device, let layout, sharding.strips?.axes[value] != nil else {
      return slice(inFull(value), axis: axis, holding: 0..<model[value].shape[axis], rows)
    }
    let own = layout.computed(value, by: device)
    if let id = strips[value], rows.clamped(to: own) == rows {
      return slice(id, axis: axis, holding: own, rows)
    }
    if sharding.exchanges.contains(value) {
      return slice(inFull(value), axis: axis, holding: 0..<model[value].shape[axis], rows)
    }
    return slice(
      withHalo(value, axis: axis), axis: axis, holding: layout.needed(value, by: device), rows)
  }

  /// All rows of a value that this device reads, from their owners.
  private mutating func withHalo(_ value: ValueID, axis: Int) -> ValueID {
    if let id = haloed[value] { return id }
    guard let device, let layout,
      let number = plan.exchangeNumber(of: value, reader: device)
    else { preconditionFailure("\(model[value].name) has no halo") }
    let needed = layout.needed(value, by: device)
    let parts = GatheredParts(
      senders.compactMap { sender in
        GatheredParts.part(
          of: sender, neurons: Array(layout.owned(value, by: sender).clamped(to: needed)),
          shape: model[value].shape, axis: axis
        ) { $0 - needed.lowerBound }
      })
    let own = layout.owned(value, by: device)
    let kept = own.clamped(to: needed)
    var description = model[value]
    description.name += ".halo"
    description.shape = description.shape.replacing(axis: axis, with: needed.count)
    let id = gather(
      number, parts: parts, axis: axis,
      own: kept.isEmpty
        ? nil : strips[value].map { slice($0, axis: axis, holding: own, kept) },
      description: description)
    haloed[value] = id
    return id
  }

  /// A divided value in full: every device's rows.
  mutating func gatherRows(_ value: ValueID, axis: Int, number: Int) -> ValueID {
    let parts = GatheredParts(
      senders.compactMap { sender in
        GatheredParts.part(
          of: sender, neurons: layout.map { Array($0.owned(value, by: sender)) } ?? [],
          shape: model[value].shape, axis: axis
        ) { $0 }
      })
    return gather(
      number, parts: parts, axis: axis, own: strips[value], description: model[value])
  }

  /// The mean or sum over this device's rows, its exchange, and from all devices' that of the whole.
  mutating func lowerSum(_ index: Int) {
    let node = model.nodes[index]
    let value = node.inputs[0]
    guard case .reduction(let reduction) = node.operation, let layout,
      let axis = sharding.strips?.axes[value],
      let number = plan.exchangeNumber(of: node.output, isDecoded: false)
    else { return }
    let owned = plan.devices.indices.map { layout.owned(value, by: $0) }
    var part: ValueID?
    if let device, !owned[device].isEmpty {
      let mine = rows(owned[device], of: value, axis: axis)
      part = emit(
        node, operation: node.operation, inputs: [mine], axis: 0, count: 1, suffix: ".part")
      if let part { publications.append((number, part)) }
    }
    let height = Float(model[value].shape[axis])
    let (parts, sum) = gatherParts(
      of: node.output, number: number, part: part,
      factors: owned.map { rows in
        if rows.isEmpty { return nil }
        return reduction.kind == .mean ? Float(rows.count) / height : 1
      })
    emitFull(node, operation: sum, inputs: [parts])
  }

  /// What other devices read of this device's rows.
  mutating func publishRows() {
    guard let device, let layout, let divided = sharding.strips else { return }
    for value in sharding.exchanges {
      guard let id = strips[value], let number = plan.exchangeNumber(of: value, isDecoded: false)
      else { continue }
      publications.append((number, id))
    }
    for index in divided.nodes {
      let value = model.nodes[index].output
      guard let id = strips[value], let axis = divided.axes[value] else { continue }
      for reader in plan.devices.indices {
        let rows = layout.halo(value, from: device, to: reader)
        guard !rows.isEmpty, let number = plan.exchangeNumber(of: value, reader: reader) else {
          continue
        }
        let part = slice(id, axis: axis, holding: layout.owned(value, by: device), rows)
        publications.append((number, part))
      }
    }
  }

  /// Some of the rows that a value holds.
  private mutating func slice(
    _ id: ValueID, axis: Int, holding: Range<Int>, _ rows: Range<Int>
  ) -> ValueID {
    guard holding != rows else { return id }
    let start = rows.isEmpty ? 0 : rows.lowerBound - holding.lowerBound
    let key = Slice(value: id, start: start, count: rows.count)
    if let known = rowSlices[key] { return known }
    let source = graph[id]
    let name = "\(source.name).rows\(graph.values.count)"
    var ranges = source.shape.dimensions.map { SliceRange(start: 0, count: $0) }
    ranges[axis] = SliceRange(start: key.start, count: key.count)
    let result = graph.add(
      Graph.Value(name: name, shape: source.shape.replacing(axis: axis, with: rows.count)))
    graph.nodes.append(Node(name: name, operation: .slice(ranges), inputs: [id], output: result))
    rowSlices[key] = result
    return result
  }

  /// Some rows of a value of the device's graph.
  struct Slice: Hashable {
    var value: ValueID
    var start: Int
    var count: Int
  }
}

extension Operation {
  /// The operation that gives some rows from the operand's rows that they read.
  fileprivate func forRows(_ rows: Range<Int>, axis: Int, _ rule: RowRule) -> Operation {
    guard case .rows(_, let reach) = rule.operands.first else { return self }
    switch (self, reach) {
    case (.convolution(var layer), .window(let window)):
      (layer.padding.top, layer.padding.bottom) = window.padding(rows)
      return .convolution(layer)
    case (.pooling(var pooling), .window(let window)):
      (pooling.padding.top, pooling.padding.bottom) = window.padding(rows)
      return .pooling(pooling)
    case (.slice(var ranges), _):
      ranges[axis] = SliceRange(start: 0, step: ranges[axis].step, count: rows.count)
      return .slice(ranges)
    case (.resize(let resize), .places(let places)):
      return .resize(
        resize.computing(
          rows, axis: axis, reading: places.operand(rows), of: places.extent))
    default: return self
    }
  }
}
