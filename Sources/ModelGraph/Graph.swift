package import Tensors

/// The number of a value in its graph.
package struct ValueID: Hashable, Sendable, Comparable, Codable {
  /// Position in `Graph.values`.
  package let index: Int
  /// Names the value at `index`.
  package init(_ index: Int) { self.index = index }
  /// Order of creation.
  package static func < (lhs: ValueID, rhs: ValueID) -> Bool { lhs.index < rhs.index }
  /// Decodes the bare number.
  package init(from decoder: any Decoder) throws { index = try Int(from: decoder) }
  /// Encodes the bare number.
  package func encode(to encoder: any Encoder) throws { try index.encode(to: encoder) }
}

/// One operation of a graph.
package struct Node: Sendable, Hashable, Codable {
  /// Unique within the graph; the ONNX node name where there was one.
  package var name: String
  /// What it computes.
  package var operation: Operation
  /// Operands, in the order that `operation` documents.
  package var inputs: [ValueID]
  /// The one result.
  package var output: ValueID

  /// Makes a node.
  package init(name: String, operation: Operation, inputs: [ValueID], output: ValueID) {
    self.name = name
    self.operation = operation
    self.inputs = inputs
    self.output = output
  }
}

/// A neural network as values and the nodes that compute them. All shapes are static; the batch
/// dimension is bound at import.
package struct Graph: Sendable {
  /// What is known about a value before anything runs.
  package struct Value: Sendable, Hashable, Codable {
    /// Unique within the graph; the ONNX name where there was one.
    package var name: String
    /// Its extents.
    package var shape: Shape
    /// Its element type: float32, or int64 for shape arithmetic before folding.
    package var elementType: ElementType

    /// Describes a value.
    package init(name: String, shape: Shape, elementType: ElementType = .float32) {
      self.name = name
      self.shape = shape
      self.elementType = elementType
    }
  }

  /// The model's name.
  package var name: String
  /// Every value, by `ValueID.index`. Passes may leave values that nothing uses.
  package private(set) var values: [Value] = []
  /// The nodes in topological order: a node comes after the producers of its inputs.
  package var nodes: [Node] = []
  /// Values given by the caller.
  package var inputs: [ValueID] = []
  /// Values handed to the caller.
  package var outputs: [ValueID] = []
  /// Values known beforehand: weights and biases.
  package var constants: [ValueID: Tensor] = [:]

  /// An empty graph.
  package init(name: String) { self.name = name }

  /// Adds a value and returns its number.
  package mutating func add(_ value: Value) -> ValueID {
    values.append(value)
    return ValueID(values.count - 1)
  }

  /// Adds a constant and returns its number.
  package mutating func add(constant tensor: Tensor, name: String) -> ValueID {
    let id = add(Value(name: name, shape: tensor.shape, elementType: tensor.elementType))
    constants[id] = tensor
    return id
  }

  /// Facts about one value.
  package subscript(id: ValueID) -> Value {
    get { values[id.index] }
    set { values[id.index] = newValue }
  }

  /// The node that computes each value.
  package func producers() -> [ValueID: Int] {
    Dictionary(nodes.enumerated().map { ($1.output, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The nodes that read each value.
  package func consumers() -> [ValueID: [Int]] {
    var result: [ValueID: [Int]] = [:]
    for (index, node) in nodes.enumerated() {
      for input in Set(node.inputs) { result[input, default: []].append(index) }
    }
    return result
  }
}
