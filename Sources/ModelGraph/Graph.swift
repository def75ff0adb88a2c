public import TensorCore

/// The number of a value in its graph.
public struct ValueID: Hashable, Sendable, Comparable, Codable {
  /// Position in `Graph.values`.
  public let index: Int
  /// Names the value at `index`.
  public init(_ index: Int) { self.index = index }
  /// Order of creation.
  public static func < (lhs: ValueID, rhs: ValueID) -> Bool { lhs.index < rhs.index }
  /// Decodes the bare number.
  public init(from decoder: any Decoder) throws { index = try Int(from: decoder) }
  /// Encodes the bare number.
  public func encode(to encoder: any Encoder) throws { try index.encode(to: encoder) }
}

/// One operation of a graph.
public struct Node: Sendable, Hashable, Codable {
  /// Unique within the graph; the ONNX node name where there was one.
  public var name: String
  /// What it computes.
  public var operation: Operation
  /// Operands, in the order that `operation` documents.
  public var inputs: [ValueID]
  /// The one result.
  public var output: ValueID

  /// Makes a node.
  public init(name: String, operation: Operation, inputs: [ValueID], output: ValueID) {
    self.name = name
    self.operation = operation
    self.inputs = inputs
    self.output = output
  }
}

/// A neural network as values and the nodes that compute them. All shapes are static; the batch
/// dimension is bound at import.
public struct Graph: Sendable {
  /// What is known about a value before anything runs.
  public struct Value: Sendable, Hashable, Codable {
    /// Unique within the graph; the ONNX name where there was one.
    public var name: String
    /// Its extents.
    public var shape: Shape
    /// Its element type: float32, or int64 for shape arithmetic before folding.
    public var elementType: ElementType

    /// Describes a value.
    public init(name: String, shape: Shape, elementType: ElementType = .float32) {
      self.name = name
      self.shape = shape
      self.elementType = elementType
    }
  }

  /// The model's name.
  public var name: String
  /// Every value, by `ValueID.index`. Passes may leave values that nothing uses.
  public private(set) var values: [Value] = []
  /// The nodes in topological order: a node comes after the producers of its inputs.
  public var nodes: [Node] = []
  /// Values given by the caller.
  public var inputs: [ValueID] = []
  /// Values handed to the caller.
  public var outputs: [ValueID] = []
  /// Values known beforehand: weights and biases.
  public var constants: [ValueID: Tensor] = [:]

  /// An empty graph.
  public init(name: String) { self.name = name }

  /// Adds a value and returns its number.
  public mutating func add(_ value: Value) -> ValueID {
    values.append(value)
    return ValueID(values.count - 1)
  }

  /// Adds a constant and returns its number.
  public mutating func add(constant tensor: Tensor, name: String) -> ValueID {
    let id = add(Value(name: name, shape: tensor.shape, elementType: tensor.elementType))
    constants[id] = tensor
    return id
  }

  /// Facts about one value.
  public subscript(id: ValueID) -> Value {
    get { values[id.index] }
    set { values[id.index] = newValue }
  }

  /// The node that computes each value.
  public func producers() -> [ValueID: Int] {
    Dictionary(nodes.enumerated().map { ($1.output, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The nodes that read each value.
  public func consumers() -> [ValueID: [Int]] {
    var result: [ValueID: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      for input in Set(node.inputs) { result[input, default: []].append(index) }
    }
    return result
  }
}
