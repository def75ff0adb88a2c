import Foundations
import ModelGraph
import Tensors

extension Operators {
  static let arrangements: [String: Rule] = [
    "Concat": concat, "Split": split, "Slice": slice, "Transpose": transpose, "Reshape": reshape,
    "Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Pad": pad,
    "Identity": identity, "Dropout": dropout, "Gather": gather, "Expand": expand,
  ]

  private static func concat(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let inputs = try node.allInputs()
    let axis = try lowering.axis(
      try node.integer("axis", default: 1), rank: lowering.shape(inputs[0]).rank)
    if inputs.count == 1 { return inputs }
    return [try lowering.add(.concatenation(axis: axis), inputs, node)]
  }

  private static func split(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let axis = try lowering.axis(try node.integer("axis", default: 0), rank: shape.rank)
    var sizes = try node.integers("split")
    if let id = node.optionalInput(1) { sizes = try lowering.integers(id, "the sizes") }
    let parts: [Int]
    if let sizes {
      parts = sizes
    } else {
      // Equal parts, the last one smaller.
      let count = try node.integer("num_outputs", default: node.declaredOutputCount)
      guard count >= 1, count <= 1 << 16 else {
        throw MartletError(.invalidFile, "a split into \(count) parts")
      }
      let size = (shape[axis] + count - 1) / count
      parts = (0..<count).map { max(0, min(size, shape[axis] - $0 * size)) }
    }
    guard parts.allSatisfy({ $0 >= 0 && $0 <= shape[axis] }),
      parts.reduce(0, { $0 &+ $1 }) == shape[axis]
    else {
      throw MartletError(
        .invalidShape, "the parts of a split do not sum to the operand",
        context: ["parts": "\(parts)", "operand": "\(shape)"])
    }
    var results: [ValueID] = []
    var start = 0
    for (index, part) in parts.prefix(node.outputCount).enumerated() {
      var ranges = shape.dimensions.map { SliceRange(start: 0, count: $0) }
      ranges[axis] = SliceRange(start: start, count: part)
      results.append(try lowering.add(.slice(ranges), [x], node, "\(index)"))
      start += part
    }
    return results
  }

  private static func slice(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    func list(
      _ attribute: String, _ index: Int, _ lowering: Lowering
    ) throws(MartletError) -> [Int]? {
      if node.opset < 10 { return try node.integers(attribute) }
      guard let id = node.optionalInput(index) else { return nil }
      return try lowering.integers(id, "the \(attribute) of a slice")
    }
    guard let starts = try list("starts", 1, lowering), let ends = try list("ends", 2, lowering)
    else { throw MartletError(.invalidFile, "starts or ends of a slice are missing") }
    let axes = try list("axes", 3, lowering) ?? Array(starts.indices)
    let steps = try list("steps", 4, lowering) ?? starts.map { _ in 1 }
    guard starts.count == ends.count, starts.count == axes.count, starts.count == steps.count else {
      throw MartletError(.invalidFile, "starts, ends, axes and steps differ in length")
    }
    var ranges = shape.dimensions.map { SliceRange(start: 0, count: $0) }
    for (index, axis) in axes.enumerated() {
      let axis = try lowering.axis(axis, rank: shape.rank)
      ranges[axis] = try range(starts[index], ends[index], steps[index], extent: shape[axis])
    }
    return [try lowering.add(.slice(ranges), [x], node)]
  }

  /// Indices as NumPy and ONNX slice: negative ones count from the end, all are clamped.
  private static func range(
    _ start: Int, _ end: Int, _ step: Int, extent: Int
  ) throws(MartletError) -> SliceRange {
    guard step != 0, step != .min else {
      throw MartletError(.invalidFile, "a slice has a step of 0")
    }
    func clamped(_ index: Int, _ low: Int, _ high: Int) -> Int {
      min(max(index < 0 ? index &+ extent : index, low), high)
    }
    if step > 0 {
      let first = clamped(start, 0, extent)
      let last = clamped(end, 0, extent)
      let count = last <= first ? 0 : (last - first - 1) / step + 1
      return SliceRange(start: count == 0 ? 0 : first, step: step, count: count)
    }
    let first = clamped(start, -1, extent - 1)
    // A very negative end stays before the first element.
    let last = end < -extent ? -1 : clamped(end, -1, extent - 1)
    let count = first <= last ? 0 : (first - last - 1) / -step + 1
    return SliceRange(start: count == 0 ? 0 : first, step: step, count: count)
  }

  private static func transpose(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let permutation =
      try node.integers("perm") ?? Array((0..<lowering.shape(x).rank).reversed())
    return [try lowering.add(.transpose(permutation: permutation), [x], node)]
  }

  private static func reshape(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    var extents = try lowering.integers(try node.input(1), "the shape")
    let keepsZero = try node.integer("allowzero", default: 0) != 0
    guard extents.count <= 16 else {
      throw MartletError(.invalidShape, "a shape has too many dimensions")
    }
    for axis in extents.indices where extents[axis] == 0 && !keepsZero {
      guard axis < shape.rank else {
        throw MartletError(.invalidShape, "a reshape copies an extent that is not there")
      }
      extents[axis] = shape[axis]
    }
    if let open = extents.firstIndex(of: -1) {
      let known = try Shape(checking: extents.replacing(open, with: 1)).count
      guard known > 0, shape.count % known == 0 else {
        throw MartletError(
          .invalidShape, "a reshape does not fit its operand",
          context: ["operand": "\(shape)", "shape": "\(extents)"])
      }
      extents[open] = shape.count / known
    }
    return [try lowering.reshape(x, extents, node)]
  }

  private static func flatten(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    var axis = try node.integer("axis", default: 1)
    // The rank itself is allowed: everything goes to the rows.
    if axis != shape.rank { axis = try lowering.axis(axis, rank: shape.rank) }
    let extents = [shape.outerCount(before: axis), shape.dimensions[axis...].reduce(1, *)]
    return [try lowering.reshape(x, extents, node)]
  }

  private static func axesOperand(
    _ lowering: Lowering, _ node: NodeReader
  ) throws(MartletError) -> [Int]? {
    guard node.opset >= 13 else { return try node.integers("axes") }
    guard let id = node.optionalInput(1) else { return nil }
    return try lowering.integers(id, "the axes")
  }

  private static func squeeze(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let axes =
      try axesOperand(lowering, node).map { (axes) throws(MartletError) in
        try lowering.axes(axes, rank: shape.rank)
      } ?? shape.dimensions.indices.filter { shape[$0] == 1 }
    guard axes.allSatisfy({ shape[$0] == 1 }) else {
      throw MartletError(
        .invalidShape, "only axes of extent 1 can be removed",
        context: ["operand": "\(shape)", "axes": "\(axes)"])
    }
    let extents = shape.dimensions.indices.filter { !axes.contains($0) }.map { shape[$0] }
    return [try lowering.reshape(x, extents, node)]
  }

  private static func unsqueeze(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    guard let wanted = try axesOperand(lowering, node) else {
      throw MartletError(.invalidFile, "the axes are missing")
    }
    guard wanted.count <= 16 else {
      throw MartletError(.invalidShape, "a shape has too many dimensions")
    }
    let axes = try lowering.axes(wanted, rank: shape.rank + wanted.count)
    var extents = shape.dimensions
    for axis in axes { extents.insert(1, at: axis) }
    return [try lowering.reshape(x, extents, node)]
  }

  private static func pad(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    var value = try node.float("value", default: 0)
    var pads = try node.integers("pads") ?? []
    var axes = Array(0..<shape.rank)
    if node.opset >= 11 {
      pads = try lowering.integers(try node.input(1), "the padding")
      if let id = node.optionalInput(2) { value = try lowering.scalar(id, "the padding value") }
      if let id = node.optionalInput(3) {
        axes = try lowering.integers(id, "the axes").map { (axis) throws(MartletError) in
          try lowering.axis(axis, rank: shape.rank)
        }
      }
    }
    let limit = -1 << 31...1 << 31
    guard pads.count == 2 * axes.count, pads.allSatisfy({ limit.contains($0) }) else {
      throw MartletError(
        .invalidShape, "the padding does not fit the operand",
        context: ["pads": "\(pads.prefix(16))", "operand": "\(shape)"])
    }
    var before = [Int](repeating: 0, count: shape.rank)
    var after = before
    for (index, axis) in axes.enumerated() {
      before[axis] = pads[index]
      after[axis] = pads[index + axes.count]
    }
    let mode = try node.text("mode", default: "constant")
    if mode == "constant" {
      if before.allSatisfy({ $0 == 0 }), after.allSatisfy({ $0 == 0 }) { return [x] }
      return [try lowering.add(.pad(before: before, after: after, value: value), [x], node)]
    }
    var result = x
    for axis in 0..<shape.rank where before[axis] != 0 || after[axis] != 0 {
      let indices = try sources(mode, shape[axis], before[axis], after[axis])
      result = try lowering.add(
        .selection(axis: axis, indices: indices), [result], node, "axis\(axis)")
    }
    return [result]
  }

  /// Which element each padded position repeats.
  private static func sources(
    _ mode: String, _ extent: Int, _ before: Int, _ after: Int
  ) throws(MartletError) -> [Int] {
    let count = before + extent + after
    guard extent > 0, (0...1 << 20).contains(count) else {
      throw MartletError(.invalidShape, "an axis cannot be padded to an extent of \(count)")
    }
    return try (0..<count).map { (position) throws(MartletError) in
      let index = position - before
      switch mode {
      case "edge":
        return min(max(index, 0), extent - 1)
      case "wrap":
        return ((index % extent) + extent) % extent
      case "reflect":
        let period = max(2 * (extent - 1), 1)
        let phase = ((index % period) + period) % period
        return phase < extent ? phase : period - phase
      default:
        throw MartletError(
          .unsupported, "this kind of padding is not known", context: ["mode": mode])
      }
    }
  }

  private static func identity(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] { [try node.input(0)] }

  private static func dropout(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    if let training = node.optionalInput(2), try lowering.scalar(training, "the mode") != 0 {
      throw MartletError(
        .unsupported, "dropout is only supported in evaluation mode",
        hint: "export the model in evaluation mode")
    }
    return [try node.input(0)]
  }

  private static func gather(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let shape = lowering.shape(x)
    let axis = try lowering.axis(try node.integer("axis", default: 0), rank: shape.rank)
    let indices = try lowering.constant(try node.input(1), "the indices")
    let positions = try (indices.integers ?? []).map { (index) throws(MartletError) in
      try position(Int(index), extent: shape[axis])
    }
    guard indices.integers != nil else {
      throw MartletError(.invalidFile, "the indices must be integers")
    }
    let selected = try lowering.add(.selection(axis: axis, indices: positions), [x], node)
    // The indices' own shape takes the place of the axis.
    var extents = shape.dimensions
    extents.replaceSubrange(axis...axis, with: indices.shape.dimensions)
    return [try lowering.reshape(selected, extents, node, "shape")]
  }

  private static func position(_ index: Int, extent: Int) throws(MartletError) -> Int {
    guard (-extent..<max(extent, 1)).contains(index), extent > 0 else {
      throw MartletError(
        .invalidShape, "an index is out of range",
        context: ["index": "\(index)", "extent": "\(extent)"])
    }
    return index < 0 ? index + extent : index
  }

  private static func expand(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let wanted = try Shape(checking: try lowering.integers(try node.input(1), "the shape"))
    let target = try Shape.broadcast(lowering.shape(x), wanted)
    let lead = [Int](repeating: 1, count: target.rank - lowering.shape(x).rank)
    var result = try lowering.reshape(
      x, lead + lowering.shape(x).dimensions, node, "rank")
    for axis in 0..<target.rank where lowering.shape(result)[axis] != target[axis] {
      guard target[axis] <= 1 << 20 else {
        throw MartletError(.resourceExhausted, "an axis is expanded to \(target[axis])")
      }
      result = try lowering.add(
        .selection(axis: axis, indices: [Int](repeating: 0, count: target[axis])), [result], node,
        "axis\(axis)")
    }
    return [result]
  }
}
