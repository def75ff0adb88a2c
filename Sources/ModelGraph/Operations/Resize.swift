package import Foundations
package import Tensors

/// Sampling along some axes at other places than the operand's elements: ONNX `Resize` and `Upsample`.
///
/// Axes are independent of each other: the result is the same whichever is resized first. Places and
/// weights follow onnxruntime to the order of operations in single precision, because the nearest
/// element hangs on the last bit.
package struct Resize: Sendable, Hashable, Codable {
  /// How an element is made of those around its place.
  package enum Filter: String, Sendable, Codable {
    /// The nearest one.
    case nearest
    /// The two around it, by distance.
    case linear
    /// The four around it, by R. Keys's cubic convolution (1981).
    case cubic
  }

  /// How an index of the result becomes a place in the operand; the names are ONNX's.
  package enum Coordinates: String, Sendable, Codable {
    /// Pixels are areas: their centres are at halves.
    case halfPixel
    /// The same, kept in the middle where the extent was rounded.
    case halfPixelSymmetric
    /// The same as `halfPixel`, but a single element is taken from the front.
    case pytorchHalfPixel
    /// The same without going back to indices, as before ONNX opset 13.
    case tfHalfPixelForNn
    /// First and last elements lie upon each other.
    case alignCorners
    /// First elements lie upon each other.
    case asymmetric
    /// A region of the operand; what is outside of the operand is `extrapolation`.
    case tfCropAndResize
  }

  /// Which element is nearest.
  package enum Rounding: String, Sendable, Codable {
    /// Halves to the front.
    case roundPreferFloor
    /// Halves to the back.
    case roundPreferCeil
    /// The element before.
    case floor
    /// The element after.
    case ceil
    /// Before ONNX opset 11: the one before where the axis grows, else the one after.
    case simple
  }

  /// One resized axis.
  package struct Axis: Sendable, Hashable, Codable {
    /// Which.
    package var axis: Int
    /// The result's extent.
    package var extent: Int
    /// The result's elements for each of the operand's. Not always what the extents say: those are
    /// whole numbers.
    package var scale: Float
    /// Where the region begins and ends, as fractions of the operand.
    package var start, end: Float
    /// Which elements are computed; nil for all. Never present in an imported model.
    package var part: Part?

    /// Describes an axis.
    package init(
      axis: Int, extent: Int, scale: Float, start: Float = 0, end: Float = 1, part: Part? = nil
    ) {
      self.axis = axis
      self.extent = extent
      self.scale = scale
      self.start = start
      self.end = end
      self.part = part
    }
  }

  /// The filter.
  package var filter: Filter
  /// The axes, ascending.
  package var axes: [Axis]
  /// Where the result's elements lie.
  package var coordinates: Coordinates
  /// For the nearest element.
  package var rounding: Rounding
  /// The a of cubic convolution.
  package var cubicCoefficient: Float
  /// Whether elements beyond the border weigh nothing; else the border is repeated.
  package var excludesOutside: Bool
  /// Whether the filter is stretched where the axis shrinks, so that every element counts.
  package var antialias: Bool
  /// The value outside of the operand.
  package var extrapolation: Float

  /// Makes a resize; the defaults are those of ONNX.
  package init(
    filter: Filter, axes: [Axis], coordinates: Coordinates = .halfPixel,
    rounding: Rounding = .roundPreferFloor, cubicCoefficient: Float = -0.75,
    excludesOutside: Bool = false, antialias: Bool = false, extrapolation: Float = 0
  ) {
    self.filter = filter
    self.axes = axes
    self.coordinates = coordinates
    self.rounding = rounding
    self.cubicCoefficient = cubicCoefficient
    self.excludesOutside = excludesOutside
    self.antialias = antialias
    self.extrapolation = extrapolation
  }

  /// The largest extent of a resized axis, before and after.
  package static let maximumExtent = 1 << 20
  /// The most elements of a result.
  private static let maximumCount = 1 << 28
}

extension Resize: OperationFacts {
  package static let kind = "resize"

  package var operation: Operation { .resize(self) }

  package var label: String { "\(filter.rawValue)Resize" }

  package func outputShape(_ inputs: [Shape], declared: Shape?) throws(MartletError) -> Shape {
    let x = inputs[0]
    try checkAxes(axes.map(\.axis), of: x)
    guard !axes.isEmpty, cubicCoefficient.isFinite, !antialias || filter != .nearest else {
      throw mismatch("the attributes of a resize are impossible", [x])
    }
    var extents = x.dimensions
    let (allowed, limit) = (1...Self.maximumExtent, Float(Self.maximumExtent))
    for axis in axes {
      guard allowed.contains(x[axis.axis]), allowed.contains(axis.extent),
        (1 / limit...limit).contains(axis.scale), (-limit...limit).contains(axis.start),
        (-limit...limit).contains(axis.end)
      else {
        throw mismatch("axis \(axis.axis) cannot be resized to \(axis.extent)", [x])
      }
      // Holds with room to spare where the scale is what the extents say.
      guard axis.extent * window(axis.scale) <= 1 << 24 else {
        throw mismatch("axis \(axis.axis) cannot be scaled by \(axis.scale)", [x])
      }
      guard reads(within: x[axis.axis], axis) else {
        throw mismatch("a part of axis \(axis.axis) does not fit the operand", [x])
      }
      extents[axis.axis] = axis.extent
    }
    let shape = try Shape(checking: extents)
    guard shape.count <= Self.maximumCount else {
      throw mismatch("a resize to more than \(Self.maximumCount) elements", [x, shape])
    }
    return shape
  }

  package func keepsBatch(_ operands: [Shape?], result: Shape) -> Bool {
    !axes.contains { $0.axis == 0 }
  }

  package func channelRule(_ inputs: [Shape], result: Shape) -> ChannelRule {
    .localExcept(axes.map(\.axis))
  }
}

extension Resize {
  /// What the result's elements are made of along one axis.
  package struct Taps: Sendable {
    /// How many elements each is the sum of.
    package var width: Int
    /// The operand's indices, `width` for each of the result's.
    package var indices: [Int32] = []
    /// Their weights, 0 for those that only fill up.
    package var weights: [Float] = []
    /// The result's indices that are outside of the operand, where that has a value of its own.
    package var outside: [Int] = []
  }

  /// The taps along one axis, of the elements that are computed; indices are those of what is there.
  ///
  /// - Parameter extent: the operand's.
  /// - Precondition: `outputShape` accepts it.
  package func taps(_ axis: Axis, extent: Int) -> Taps {
    var taps = Taps(width: filter == .nearest ? 1 : window(axis.scale))
    let part = axis.part(of: extent)
    var whole = axis
    whole.extent = part.result
    for index in 0..<axis.extent {
      let place = place(of: part.first + index, whole, extent: part.operand)
      if coordinates == .tfCropAndResize, place < 0 || place > Float(part.operand - 1) {
        taps.outside.append(index)
      }
      append(place, scale: axis.scale, extent: part.operand, to: &taps)
    }
    if part.start > 0 { taps.indices = taps.indices.map { $0 - Int32(part.start) } }
    return taps
  }

  private func append(_ place: Float, scale: Float, extent: Int, to taps: inout Taps) {
    func clamped(_ index: Int) -> Int32 { Int32(min(max(index, 0), extent - 1)) }
    guard filter != .nearest else {
      taps.indices.append(clamped(nearest(place, shrinks: scale < 1)))
      taps.weights.append(1)
      return
    }
    let stretch = stretch(scale)
    let (centre, support) = (place + 0.5, reach * stretch)
    var indices = Array(
      Int((centre - support + 0.5).rounded(.down))..<Int((centre + support + 0.5).rounded(.down))
    ).prefix(taps.width)
    let inside = indices.filter { (0..<extent).contains($0) }
    if excludesOutside, !inside.isEmpty { indices = inside[...] }
    let weights = indices.map { weight((Float($0) - centre + 0.5) / stretch) }
    let sum = weights.reduce(0, +)
    let filling = taps.width - indices.count
    taps.indices += indices.map(clamped)
    taps.indices += [Int32](repeating: clamped(indices.last ?? 0), count: filling)
    taps.weights += sum == 0 ? weights : weights.map { $0 / sum }
    taps.weights += [Float](repeating: 0, count: filling)
  }

  /// The most elements that the filter reaches.
  private func window(_ scale: Float) -> Int {
    Int((reach * stretch(scale)).rounded(.up)) * 2 + (antialias ? 1 : 0)
  }

  private func stretch(_ scale: Float) -> Float { antialias ? max(1 / scale, 1) : 1 }

  /// How far the filter reaches to each side.
  private var reach: Float {
    switch filter {
    case .nearest: 0.5
    case .linear: 1
    case .cubic: 2
    }
  }

  /// The filter at a distance.
  private func weight(_ distance: Float) -> Float {
    let (x, a) = (abs(distance), cubicCoefficient)
    guard filter == .cubic else { return max(1 - x, 0) }
    if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
  }

  private func nearest(_ place: Float, shrinks: Bool) -> Int {
    switch rounding {
    case .floor: return Int(place.rounded(.down))
    case .ceil: return Int(place.rounded(.up))
    case .simple: return Int(place.rounded(shrinks ? .up : .towardZero))
    case .roundPreferCeil: return Int(place.rounded(.toNearestOrAwayFromZero))
    case .roundPreferFloor:
      let isHalf = place == place.rounded(.towardZero) + 0.5
      return Int(place.rounded(isHalf ? .down : .toNearestOrAwayFromZero))
    }
  }

  /// Where an index of the result lies in the operand.
  private func place(of index: Int, _ axis: Axis, extent: Int) -> Float {
    let (x, scale) = (Float(index), axis.scale)
    let (length, resized) = (Float(extent), Float(axis.extent))
    // With a scale of 1 nothing moves, whatever the region.
    guard scale != 1 || axis.extent != extent else { return x }
    switch coordinates {
    case .asymmetric: return x / scale
    case .halfPixel: return (x + 0.5) / scale - 0.5
    case .pytorchHalfPixel: return axis.extent > 1 ? (x + 0.5) / scale - 0.5 : 0
    case .tfHalfPixelForNn: return (x + 0.5) / scale
    case .alignCorners: return axis.extent == 1 ? 0 : x * (length - 1) / (resized - 1)
    case .halfPixelSymmetric:
      let offset = length / 2 * (1 - resized / (scale * length))
      return Float(Double(offset) + (Double(x) + 0.5) / Double(scale) - 0.5)
    case .tfCropAndResize:
      guard axis.extent > 1 else { return 0.5 * (axis.start + axis.end) * (length - 1) }
      return axis.start * (length - 1)
        + (x * (axis.end - axis.start) * (length - 1)) / (resized - 1)
    }
  }
}
