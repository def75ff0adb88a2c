/// The operators that a graph may hold after import. Importers lower everything else to these.
///
/// Layouts are row-major; images are N, C, H, W. Operand order is given with each case; operands in
/// brackets may be absent (a shorter `Node.inputs`).
package enum Operation: Sendable, Hashable {
  /// x `[N, C, H, W]`, w `[M, C / groups, kH, kW]`, [b `[M]`].
  case convolution(Convolution)
  /// x `[..., K]`, w `[M, K]`, [b `[M]`] gives `[..., M]`: y = x w^T + b, then the activation.
  case dense(Dense)
  /// a `[..., M, K]`, b `[..., K, N]`, both computed at run time; leading axes broadcast.
  case matMul
  /// x `[N, C, H, W]`.
  case pooling(Pooling)
  /// x, element by element.
  case activation(Activation)
  /// x, element by element.
  case unary(UnaryFunction)
  /// a, b with NumPy broadcasting.
  case binary(BinaryFunction)
  /// x, scale `[C]`, shift `[C]`: y = x * scale + shift along axis 1 (an unfused batch normalisation).
  case channelAffine
  /// x, [scale, [shift]] of the shape of the normalised axes.
  case layerNormalization(LayerNormalization)
  /// x, over one axis.
  case softmax(axis: Int, logarithmic: Bool)
  /// Operands in order, along one axis.
  case concatenation(axis: Int)
  /// x; result axis i is operand axis `permutation[i]`.
  case transpose(permutation: [Int])
  /// x; same elements in order, the output value's shape.
  case reshape
  /// x; one entry per axis.
  case slice([SliceRange])
  /// x; constant padding, one entry per axis (negative entries crop).
  case pad(before: [Int], after: [Int], value: Float)
  /// x; over sorted, non-negative axes.
  case reduction(Reduction)
  /// x; result index i along `axis` is operand index `indices[i]`.
  case selection(axis: Int, indices: [Int])
  /// x; sums of slices along one axis. Never present in an imported model: a code is undone with it.
  case combination(Combination)
  /// [own part]; the gathered value. A device sends its part here and receives the others' (see
  /// `Plan`). Never present in an imported model.
  case exchange(Exchange)
}

/// Two-dimensional convolution (cross-correlation, as in ONNX `Conv`).
package struct Convolution: Sendable, Hashable, Codable {
  /// Kernel height and width.
  package var kernel: Pair
  /// Steps between outputs.
  package var strides: Pair
  /// Steps between kernel taps.
  package var dilations: Pair
  /// Zeros around the input.
  package var padding: Padding
  /// Channels are split into this many independent groups.
  package var groups: Int
  /// Output channels in each group when they differ (a device's share of a grouped convolution);
  /// nil when all groups have equally many. Has `groups` entries.
  package var groupOutputs: [Int]?
  /// Applied to each output.
  package var activation: Activation?

  /// Makes a convolution; the defaults are those of ONNX.
  package init(
    kernel: Pair, strides: Pair = Pair(1, 1), dilations: Pair = Pair(1, 1),
    padding: Padding = Padding(), groups: Int = 1, groupOutputs: [Int]? = nil,
    activation: Activation? = nil
  ) {
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.groups = groups
    self.groupOutputs = groupOutputs
    self.activation = activation
  }
}

/// A fully connected layer over the last axis.
package struct Dense: Sendable, Hashable, Codable {
  /// Applied to each output.
  package var activation: Activation?
  /// Makes a dense layer.
  package init(activation: Activation? = nil) { self.activation = activation }
}

/// Maximum or average over windows.
package struct Pooling: Sendable, Hashable, Codable {
  /// What is taken over a window.
  package enum Kind: String, Sendable, Codable {
    /// The largest element; padding never wins.
    case maximum
    /// The mean of the elements.
    case average
  }
  /// Maximum or average.
  package var kind: Kind
  /// Window height and width.
  package var kernel: Pair
  /// Steps between windows.
  package var strides: Pair
  /// Steps between taps.
  package var dilations: Pair
  /// Padding around the input. With ceiling mode the last window may reach beyond it.
  package var padding: Padding
  /// Whether padding counts in the divisor of an average (cells beyond the padding never count).
  package var countsPadding: Bool

  // "kind" is the operation's own key in the flat form that plans use.
  private enum CodingKeys: String, CodingKey {
    case kind = "function"
    case kernel, strides, dilations, padding, countsPadding
  }

  /// Makes a pooling; the defaults are those of ONNX. The output shape is the value's, so ceiling
  /// mode needs no flag.
  package init(
    kind: Kind, kernel: Pair, strides: Pair = Pair(1, 1), dilations: Pair = Pair(1, 1),
    padding: Padding = Padding(), countsPadding: Bool = false
  ) {
    self.kind = kind
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.countsPadding = countsPadding
  }
}

/// Other element-wise functions of one operand.
package enum UnaryFunction: String, Sendable, Hashable, Codable {
  /// As named.
  case negate, absolute, exponential, logarithm, squareRoot, reciprocal, errorFunction, floor,
    ceiling
}

/// Element-wise functions of two operands.
package enum BinaryFunction: String, Sendable, Hashable, Codable {
  /// As named.
  case add, subtract, multiply, divide, power, maximum, minimum
}

/// Normalisation to mean 0 and variance 1 over the given axes, then scale and shift.
package struct LayerNormalization: Sendable, Hashable, Codable {
  /// Sorted, non-negative axes; the trailing axes as in ONNX, or axis 1 after layout propagation.
  package var axes: [Int]
  /// Added to the variance.
  package var epsilon: Float
  /// Makes a layer normalisation.
  package init(axes: [Int], epsilon: Float) {
    self.axes = axes
    self.epsilon = epsilon
  }
}

/// A fold over axes.
package struct Reduction: Sendable, Hashable, Codable {
  /// What is folded.
  package enum Kind: String, Sendable, Codable {
    /// As named.
    case mean, sum, maximum, minimum
  }
  /// The fold.
  package var kind: Kind
  /// Sorted, non-negative axes. Whether they stay as extent 1 shows in the output value's shape.
  package var axes: [Int]

  private enum CodingKeys: String, CodingKey {
    case kind = "function"
    case axes
  }
  /// Makes a reduction.
  package init(kind: Kind, axes: [Int]) {
    self.kind = kind
    self.axes = axes
  }
}

/// The elements start, start + step, … of one axis; `count` of them.
package struct SliceRange: Sendable, Hashable, Codable {
  /// First index.
  package var start: Int
  /// Distance between indices; may be negative, never 0.
  package var step: Int
  /// How many.
  package var count: Int
  /// Makes a range.
  package init(start: Int, step: Int = 1, count: Int) {
    self.start = start
    self.step = step
    self.count = count
  }
}

/// Sums of slices: result index i along `axis` is the sum of the operand's slices in `rows[i]`, each
/// times its factor.
///
/// A result of which some slice is not a number at its first element (something that it needs is
/// lost) is zero throughout.
package struct Combination: Sendable, Hashable, Codable {
  /// One slice of the operand.
  package struct Term: Sendable, Hashable, Codable {
    /// Its index along the axis.
    package var index: Int
    /// What it is multiplied with.
    package var factor: Float

    /// Makes a term.
    package init(index: Int, factor: Float) {
      self.index = index
      self.factor = factor
    }
  }

  /// The axis.
  package var axis: Int
  /// The terms of each result, at least one.
  package var rows: [[Term]]

  /// Makes a combination.
  package init(axis: Int, rows: [[Term]]) {
    self.axis = axis
    self.rows = rows
  }
}

/// The gathering of a value from its parts.
package struct Exchange: Sendable, Hashable, Codable {
  /// The layer whose value is gathered; the `<layer>` of its topics.
  package var layer: String
  /// The axis along which parts lie one after the other.
  package var axis: Int
  /// Extents along `axis` of the pieces that make up the gathered value; they add up to its extent.
  package var extents: [Int]
  /// Makes an exchange.
  package init(layer: String, axis: Int, extents: [Int]) {
    self.layer = layer
    self.axis = axis
    self.extents = extents
  }
}

/// A height and a width.
package struct Pair: Sendable, Hashable, Codable {
  /// Vertical.
  package var height: Int
  /// Horizontal.
  package var width: Int
  /// Height, then width.
  package init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }
  /// Decodes `[height, width]`.
  package init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    self.init(try container.decode(Int.self), try container.decode(Int.self))
  }
  /// Encodes `[height, width]`.
  package func encode(to encoder: any Encoder) throws { try [height, width].encode(to: encoder) }
}

/// Cells added around an image.
package struct Padding: Sendable, Hashable, Codable {
  /// Rows above, columns left, rows below, columns right.
  package var top, left, bottom, right: Int
  /// ONNX order: top, left, bottom, right.
  package init(_ top: Int = 0, _ left: Int = 0, _ bottom: Int = 0, _ right: Int = 0) {
    self.top = top
    self.left = left
    self.bottom = bottom
    self.right = right
  }
  /// Decodes `[top, left, bottom, right]`.
  package init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    self.init(
      try container.decode(Int.self), try container.decode(Int.self),
      try container.decode(Int.self), try container.decode(Int.self))
  }
  /// Encodes `[top, left, bottom, right]`.
  package func encode(to encoder: any Encoder) throws {
    try [top, left, bottom, right].encode(to: encoder)
  }
}
