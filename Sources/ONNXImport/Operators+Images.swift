import Foundations
import ModelGraph
import Tensors

// Operators over whole images.
extension Operators {
  static let images: [String: Rule] = [
    "GlobalAveragePool": { (lowering, node) throws(MartletError) in
      try globalPooling(&lowering, node, .mean)
    },
    "GlobalMaxPool": { (lowering, node) throws(MartletError) in
      try globalPooling(&lowering, node, .maximum)
    },
    "Resize": resize, "Upsample": upsample,
  ]

  private static func globalPooling(
    _ lowering: inout Lowering, _ node: NodeReader, _ kind: Reduction.Kind
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    let rank = lowering.shape(x).rank
    guard rank >= 3 else {
      throw MartletError(.invalidShape, "the operand is no image", context: ["rank": "\(rank)"])
    }
    return [try lowering.add(.reduction(Reduction(kind: kind, axes: Array(2..<rank))), [x], node)]
  }
}

// Resizing. What changed over the versions of the operator set: Upsample had its scales as an attribute
// (7) and as an operand (9); Resize took its place (10), got sizes, regions and ways of counting (11),
// axes, antialiasing and policies (18).
extension Operators {
  static func upsample(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    guard node.opset < 10 else {
      throw MartletError(.unsupported, "the operator ended with opset 9, Resize took its place")
    }
    let axes = Array(0..<lowering.shape(try node.input(0)).rank)
    let scales =
      node.opset < 9
      ? try node.floats("scales") : try numbers(lowering, node.optionalInput(1), "the scales")
    return try resize(
      &lowering, node, try resizedAxes(lowering, node, axes, scales: scales, sizes: nil),
      .asymmetric)
  }

  static func resize(
    _ lowering: inout Lowering, _ node: NodeReader
  ) throws(MartletError) -> [ValueID] {
    let rank = lowering.shape(try node.input(0)).rank
    let axes = try (node.integers("axes") ?? Array(0..<rank)).map { (axis) throws(MartletError) in
      try lowering.axis(axis, rank: rank)
    }
    guard node.opset >= 11 else {
      let scales = try numbers(lowering, node.optionalInput(1), "the scales")
      let resized = try resizedAxes(lowering, node, axes, scales: scales, sizes: nil)
      return try resize(&lowering, node, resized, .asymmetric)
    }
    let name = "coordinate_transformation_mode"
    let coordinates: Resize.Coordinates = try choice(node, name, default: "half_pixel")
    var resized = try resizedAxes(
      lowering, node, axes, scales: try numbers(lowering, node.optionalInput(2), "the scales"),
      sizes: try node.optionalInput(3).map { (id) throws(MartletError) in
        try lowering.integers(id, "the sizes")
      })
    if coordinates == .tfCropAndResize {
      let region = try numbers(lowering, node.optionalInput(1), "the region") ?? []
      guard region.count == 2 * axes.count else {
        throw MartletError(
          .invalidFile, "the region of a resize needs a start and an end for each axis",
          context: ["numbers": "\(region.count)", "axes": "\(axes.count)"])
      }
      for (index, axis) in axes.enumerated() {
        guard let place = resized.firstIndex(where: { $0.axis == axis }) else { continue }
        resized[place].start = region[index]
        resized[place].end = region[index + axes.count]
      }
    }
    return try resize(&lowering, node, resized, coordinates)
  }

  private static func resize(
    _ lowering: inout Lowering, _ node: NodeReader, _ axes: [Resize.Axis],
    _ coordinates: Resize.Coordinates
  ) throws(MartletError) -> [ValueID] {
    let x = try node.input(0)
    guard !axes.isEmpty else { return [x] }
    var resize = Resize(
      filter: try choice(node, "mode", default: "nearest"), axes: axes, coordinates: coordinates,
      cubicCoefficient: try node.float("cubic_coeff_a", default: -0.75),
      excludesOutside: try node.integer("exclude_outside", default: 0) != 0,
      antialias: try node.integer("antialias", default: 0) != 0,
      extrapolation: try node.float("extrapolation_value", default: 0))
    if resize.filter == .nearest {
      resize.rounding =
        node.opset < 11
        ? .simple : try choice(node, "nearest_mode", default: "round_prefer_floor")
    }
    guard !resize.antialias || resize.filter != .nearest else {
      throw MartletError(.unsupported, "antialias is for linear and cubic resizing only")
    }
    guard resize.extrapolation.isFinite else {
      throw MartletError(
        .unsupported, "the value outside must be a finite number",
        context: ["extrapolation_value": "\(resize.extrapolation)"])
    }
    return [try lowering.add(.resize(resize), [x], node)]
  }

  /// The axes that change, ascending: of all whose scales or sizes are given, one of the two.
  private static func resizedAxes(
    _ lowering: Lowering, _ node: NodeReader, _ axes: [Int], scales: [Float]?, sizes: [Int]?
  ) throws(MartletError) -> [Resize.Axis] {
    let shape = lowering.shape(try node.input(0))
    // An operand that is left out may also be an empty list.
    let sizes = sizes?.isEmpty == true ? nil : sizes
    var scales = scales?.isEmpty == true ? nil : scales
    guard (scales == nil) != (sizes == nil), (scales?.count ?? sizes?.count) == axes.count,
      Set(axes).count == axes.count
    else {
      throw MartletError(
        .invalidFile, "a resize needs either a scale or a size for each axis",
        context: [
          "scales": "\(scales?.count ?? 0)", "sizes": "\(sizes?.count ?? 0)",
          "axes": "\(axes.prefix(16))",
        ])
    }
    let policy = try node.text("keep_aspect_ratio_policy", default: "stretch")
    if let sizes {
      let ratios = zip(sizes, axes).map { Float($0) / Float(shape[$1]) }
      switch policy {
      case "stretch": scales = ratios
      case "not_larger": scales = ratios.map { _ in ratios.min() ?? 1 }
      case "not_smaller": scales = ratios.map { _ in ratios.max() ?? 1 }
      default:
        throw MartletError(
          .unsupported, "this policy is not known", context: ["keep_aspect_ratio_policy": policy])
      }
    }
    var result: [Resize.Axis] = []
    for (index, scale) in (scales ?? []).enumerated() {
      let extent = Float(shape[axes[index]])
      guard scale != 1 else { continue }
      guard scale > 0, scale * extent < Float(Resize.maximumExtent), extent > 0 else {
        throw MartletError(
          .invalidShape, "an axis cannot be resized",
          context: ["operand": "\(shape)", "axis": "\(axes[index])", "scale": "\(scale)"])
      }
      // Given sizes are taken as they are, unless a policy changes them.
      let given = policy == "stretch" ? sizes?[index] : nil
      let reached = sizes == nil ? (scale * extent).rounded(.down) : (scale * extent).rounded()
      result.append(
        Resize.Axis(axis: axes[index], extent: given ?? Int(reached), scale: scale))
    }
    return result.sorted { $0.axis < $1.axis }
  }

  private static func numbers(
    _ lowering: Lowering, _ id: ValueID?, _ what: String
  ) throws(MartletError) -> [Float]? {
    guard let id else { return nil }
    guard let values = try lowering.constant(id, what).floats else {
      throw MartletError(.invalidFile, "\(what) must be floating-point numbers")
    }
    return values
  }

  /// One of the names of an attribute, which are the cases' without underscores.
  private static func choice<Choice: RawRepresentable<String>>(
    _ node: NodeReader, _ attribute: String, default name: String
  ) throws(MartletError) -> Choice {
    let name = try node.text(attribute, default: name)
    let words = name.split(separator: "_")
    let key = words.dropFirst().reduce(into: String(words.first ?? "")) { $0 += $1.capitalised }
    guard let choice = Choice(rawValue: key) else {
      throw MartletError(
        .unsupported, "this kind of resize is not known", context: [attribute: name])
    }
    return choice
  }
}

extension Substring {
  fileprivate var capitalised: String { prefix(1).uppercased() + dropFirst() }
}
