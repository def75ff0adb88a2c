package import Foundations
package import Tensors

// Weights in fewer bytes than float32.
extension Graph {
  /// The constants that may be stored in fewer bytes: those that are the weights of convolutions and
  /// dense layers and nothing else. Told from the structure: elements are not needed.
  package var storableWeights: Set<ValueID> {
    let computed = computedValues
    var weights: Set<ValueID> = []
    var others = Set(outputs)
    for node in nodes {
      for (position, input) in node.inputs.enumerated() where !computed.contains(input) {
        switch node.operation {
        case .convolution where position == 1, .dense where position == 1: weights.insert(input)
        default: others.insert(input)
        }
      }
    }
    return weights.subtracting(others)
  }

  /// How a constant is stored: see `WeightType.storage`.
  ///
  /// - Precondition: `id` is one of `storableWeights`, and the graph has its elements.
  package func storage(of id: ValueID, as type: WeightType) -> ElementType {
    constants[id]?.floats?.withUnsafeBufferPointer { type.storage(for: $0) } ?? .float32
  }

  /// A constant as it is stored.
  ///
  /// - Precondition: like `storage`.
  /// - Throws: `resourceExhausted` without memory.
  package func stored(_ id: ValueID, as type: WeightType) throws(MartletError) -> StoredTensor? {
    guard let tensor = constants[id], tensor.floats != nil else { return nil }
    let type = storage(of: id, as: type)
    return try StoredTensor(
      rounding: tensor, to: type, scales: type.hasScale ? StoredTensor.rowScales(of: tensor) : [])
  }

  /// The same graph with the weights that are computed with once they have been stored as a type; for
  /// computations that know float32 alone.
  ///
  /// - Throws: `resourceExhausted` without memory.
  package consuming func roundingWeights(to type: WeightType) throws(MartletError) -> Graph {
    guard type != .f32 else { return self }
    for id in storableWeights.sorted() {
      if let stored = try stored(id, as: type) { constants[id] = stored.widened }
    }
    return self
  }

  /// Bytes of all constants with the weights of layers stored as a type.
  package func constantBytes(as type: WeightType) -> Int {
    let storable = type == .f32 ? [] : storableWeights
    return constants.reduce(0) { sum, constant in
      let storage =
        storable.contains(constant.key) ? self.storage(of: constant.key, as: type) : .float32
      return sum + StoredTensor.bytes(constant.value.shape, storage)
    }
  }

  /// The names of those weights that a type cannot hold, and that stay float32.
  package func unstorable(as type: WeightType) -> [String] {
    guard type != .f32 else { return [] }
    return storableWeights.sorted().filter {
      constants[$0] != nil && storage(of: $0, as: type) == .float32
    }.map { self[$0].name }
  }
}
