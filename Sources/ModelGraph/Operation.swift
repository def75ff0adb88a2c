package import Foundations
package import Tensors

/// The operators that a graph may hold after import. Importers lower everything else to these.
///
/// Layouts are row-major; images are N, C, H, W. Operand order is given with each case; operands in
/// brackets may be absent (a shorter `Node.inputs`). Whatever else is known of an operation is in its
/// file in the folder `Operations`; a new one is a case here, its line in `facts` and its type in
/// `all`.
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
  /// condition, a, b with NumPy broadcasting: a where the condition is not 0, else b.
  case choice
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
  /// x; where along one axis the largest or smallest element is.
  case extremum(Extremum)
  /// x; result index i along `axis` is operand index `indices[i]`.
  case selection(axis: Int, indices: [Int])
  /// x; sampled at other places along some axes.
  case resize(Resize)
  /// x; sums of slices along one axis. Never present in an imported model: a code is undone with it.
  case combination(Combination)
  /// [own part]; the gathered value. A device sends its part here and receives the others' (see
  /// `Plan`). Never present in an imported model.
  case exchange(Exchange)

  /// What is known about this operation.
  package var facts: any OperationFacts {
    switch self {
    case .convolution(let attributes): attributes
    case .dense(let attributes): attributes
    case .matMul: MatMul()
    case .pooling(let attributes): attributes
    case .activation(let activation): Activating(activation: activation)
    case .unary(let function): Unary(function: function)
    case .binary(let function): Binary(function: function)
    case .choice: Choice()
    case .channelAffine: ChannelAffine()
    case .layerNormalization(let attributes): attributes
    case .softmax(let axis, let logarithmic): Softmax(axis: axis, logarithmic: logarithmic)
    case .concatenation(let axis): Concatenation(axis: axis)
    case .transpose(let permutation): Transposition(permutation: permutation)
    case .reshape: Reshaping()
    case .slice(let ranges): Slicing(ranges: ranges)
    case .pad(let before, let after, let value):
      ConstantPadding(before: before, after: after, value: value)
    case .reduction(let attributes): attributes
    case .extremum(let attributes): attributes
    case .selection(let axis, let indices): Selection(axis: axis, indices: indices)
    case .resize(let attributes): attributes
    case .combination(let attributes): attributes
    case .exchange(let attributes): attributes
    }
  }

  /// All kinds of operations.
  package static let all: [any OperationFacts.Type] = [
    Convolution.self, Dense.self, MatMul.self, Pooling.self, Activating.self, Unary.self,
    Binary.self, Choice.self, ChannelAffine.self, LayerNormalization.self, Softmax.self,
    Concatenation.self,
    Transposition.self, Reshaping.self, Slicing.self, ConstantPadding.self, Reduction.self,
    Extremum.self, Selection.self, Resize.self, Combination.self, Exchange.self,
  ]
}

extension Operation {
  /// The operator's name as written in plans and listings.
  package var kind: String { type(of: facts).kind }

  /// `kind`, or the function where that says more: `relu`, `multiply`, `maximumPooling`.
  package var kindName: String { facts.label }

  /// The shape of this operation's result.
  ///
  /// - Parameters:
  ///   - inputs: The shapes of the operands, in the order that the operation documents.
  ///   - declared: The shape that the result is said to have. A reshape needs it; pooling (floor or
  ///     ceiling mode) and reductions (axes kept or removed) accept either form; for all others it
  ///     only has to agree.
  /// - Throws: `.invalidShape` when the operands do not fit the operation, each other or `declared`.
  package func outputShape(
    inputs: [Shape], declared: Shape?
  ) throws(MartletError) -> Shape {
    let facts = facts
    try facts.checkCount(of: inputs)
    let shape = try facts.outputShape(inputs, declared: declared)
    if let declared, declared != shape {
      throw facts.mismatch(
        "the result has another shape than declared", inputs + [shape, declared])
    }
    return shape
  }
}

// Operations as flat JSON objects: {"kernel": [3, 3], …, "kind": "convolution"}. Written by hand
// because a plan is read by people and the synthesised form nests every payload under "_0".
extension Operation: Codable {
  private enum Key: String, CodingKey { case kind }

  private static let kinds = Dictionary(uniqueKeysWithValues: all.map { ($0.kind, $0) })

  /// Writes the attributes and the kind side by side.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try facts.encode(to: encoder)
    try container.encode(kind, forKey: .kind)
  }

  /// Reads what `encode(to:)` writes.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let kind = try container.decode(String.self, forKey: .kind)
    guard let type = Operation.kinds[kind] else {
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: container, debugDescription: "unknown operation \"\(kind)\"")
    }
    self = try type.init(from: decoder).operation
  }
}
