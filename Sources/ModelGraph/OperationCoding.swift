// Operations as flat JSON objects: {"kind": "convolution", "kernel": [3, 3], …}. Written by hand
// because a plan is read by people and the synthesised form nests every payload under "_0".

extension Operation: Codable {
  private enum Key: String, CodingKey {
    case kind, function, axis, logarithmic, permutation, ranges, before, after, value, indices
    case activation
  }

  /// The operator's name as written in plans and listings.
  package var kind: String {
    switch self {
    case .convolution: "convolution"
    case .dense: "dense"
    case .matMul: "matMul"
    case .pooling: "pooling"
    case .activation: "activation"
    case .unary: "unary"
    case .binary: "binary"
    case .channelAffine: "channelAffine"
    case .layerNormalization: "layerNormalization"
    case .softmax: "softmax"
    case .concatenation: "concatenation"
    case .transpose: "transpose"
    case .reshape: "reshape"
    case .slice: "slice"
    case .pad: "pad"
    case .reduction: "reduction"
    case .selection: "selection"
    case .combination: "combination"
    case .exchange: "exchange"
    }
  }

  /// Writes the kind and the attributes side by side.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    switch self {
    case .convolution(let attributes): try attributes.encode(to: encoder)
    case .dense(let attributes): try attributes.encode(to: encoder)
    case .pooling(let attributes): try attributes.encode(to: encoder)
    case .layerNormalization(let attributes): try attributes.encode(to: encoder)
    case .reduction(let attributes): try attributes.encode(to: encoder)
    case .exchange(let attributes): try attributes.encode(to: encoder)
    case .combination(let attributes): try attributes.encode(to: encoder)
    case .activation(let activation): try container.encode(activation, forKey: .activation)
    case .unary(let function): try container.encode(function, forKey: .function)
    case .binary(let function): try container.encode(function, forKey: .function)
    case .softmax(let axis, let logarithmic):
      try container.encode(axis, forKey: .axis)
      try container.encode(logarithmic, forKey: .logarithmic)
    case .concatenation(let axis): try container.encode(axis, forKey: .axis)
    case .transpose(let permutation): try container.encode(permutation, forKey: .permutation)
    case .slice(let ranges): try container.encode(ranges, forKey: .ranges)
    case .pad(let before, let after, let value):
      try container.encode(before, forKey: .before)
      try container.encode(after, forKey: .after)
      try container.encode(value, forKey: .value)
    case .selection(let axis, let indices):
      try container.encode(axis, forKey: .axis)
      try container.encode(indices, forKey: .indices)
    case .matMul, .channelAffine, .reshape: break
    }
    try container.encode(kind, forKey: .kind)
  }

  /// Reads what `encode(to:)` writes.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let kind = try container.decode(String.self, forKey: .kind)
    switch kind {
    case "convolution": self = .convolution(try Convolution(from: decoder))
    case "dense": self = .dense(try Dense(from: decoder))
    case "matMul": self = .matMul
    case "pooling": self = .pooling(try Pooling(from: decoder))
    case "activation":
      self = .activation(try container.decode(Activation.self, forKey: .activation))
    case "unary": self = .unary(try container.decode(UnaryFunction.self, forKey: .function))
    case "binary": self = .binary(try container.decode(BinaryFunction.self, forKey: .function))
    case "channelAffine": self = .channelAffine
    case "layerNormalization": self = .layerNormalization(try LayerNormalization(from: decoder))
    case "softmax":
      self = .softmax(
        axis: try container.decode(Int.self, forKey: .axis),
        logarithmic: try container.decode(Bool.self, forKey: .logarithmic))
    case "concatenation":
      self = .concatenation(axis: try container.decode(Int.self, forKey: .axis))
    case "transpose":
      self = .transpose(permutation: try container.decode([Int].self, forKey: .permutation))
    case "reshape": self = .reshape
    case "slice": self = .slice(try container.decode([SliceRange].self, forKey: .ranges))
    case "pad":
      self = .pad(
        before: try container.decode([Int].self, forKey: .before),
        after: try container.decode([Int].self, forKey: .after),
        value: try container.decode(Float.self, forKey: .value))
    case "reduction": self = .reduction(try Reduction(from: decoder))
    case "selection":
      self = .selection(
        axis: try container.decode(Int.self, forKey: .axis),
        indices: try container.decode([Int].self, forKey: .indices))
    case "exchange": self = .exchange(try Exchange(from: decoder))
    case "combination": self = .combination(try Combination(from: decoder))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .kind, in: container, debugDescription: "unknown operation \"\(kind)\"")
    }
  }
}
