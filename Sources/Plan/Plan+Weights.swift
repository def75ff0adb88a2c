import Foundations
package import ModelGraph
package import Tensors

/// How the weights of layers are stored in shards, and computed with.
///
/// The model's own weights are rounded, row by row, before anybody gets a share of them, so that all
/// copies agree and devices compute together what one with the whole rounded model computes. Parity is
/// of the rounded weights, and always of halves at least: what is restored from it differs from the
/// rounded weights by less than these do from the model's.
extension Plan {
  /// The same plan with weights of a type.
  package func storing(_ weights: WeightType) -> Plan {
    var plan = self
    plan.weights = weights
    return plan
  }

  /// How constants of a device are stored, those of float32 left out. A layer's weights that the type
  /// cannot hold are float32 all the same, which only who has them knows.
  package func storage(of constants: [ValueID: ConstantSlice]) -> [ValueID: ElementType] {
    guard weights != .f32 else { return [:] }
    let storable = graph.storableWeights
    return constants.mapValues { storage(of: $0, storable) }.filter { $0.value != .float32 }
  }

  func storage(of slice: ConstantSlice, _ storable: Set<ValueID>) -> ElementType {
    guard weights != .f32, storable.contains(slice.source) else { return .float32 }
    return slice.sums == nil ? weights.elementType : .float16
  }

  /// Bytes of the model's constants, each once, as they are stored.
  package var constantBytes: Int {
    let storable = weights == .f32 ? [] : graph.storableWeights
    return graph.structuralConstants.reduce(0) { sum, id in
      sum
        + StoredTensor.bytes(
          graph[id].shape, storable.contains(id) ? weights.elementType : .float32)
    }
  }
}

extension Graph {
  /// All constants, told from the structure.
  var structuralConstants: Set<ValueID> {
    Set(nodes.flatMap(\.inputs)).subtracting(computedValues)
  }
}

extension ConstantSlice {
  /// The copy as it is stored.
  ///
  /// - Parameters:
  ///   - tensor: the model's constant, in full.
  ///   - type: how that is stored.
  /// - Throws: `resourceExhausted` without memory.
  func stored(of tensor: Tensor, as type: ElementType) throws(MartletError) -> StoredTensor {
    guard type != .float32 else { return StoredTensor(apply(to: tensor)) }
    var scales = type.hasScale ? StoredTensor.rowScales(of: tensor) : []
    guard sums == nil else {
      let rounded = try StoredTensor(rounding: tensor, to: type, scales: scales)
      let parity = apply(to: rounded.widened)
      let storage =
        parity.floats?.withUnsafeBufferPointer { WeightType.f16.storage(for: $0) } ?? .float32
      return try StoredTensor(rounding: parity, to: storage)
    }
    if type.hasScale, let rows = selections.first(where: { $0.axis == 0 }) {
      scales = rows.indices.map { scales[$0] }
    }
    return try StoredTensor(rounding: apply(to: tensor), to: type, scales: scales)
  }
}
