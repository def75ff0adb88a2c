package import Plan
import Tensors

/// What placements cost in weights.
package struct PlacementCost: Sendable, Hashable {
  /// Bytes of weights by device, as float32.
  package var bytes: [Int]
  /// Bytes of the weights of the whole model, once.
  package var modelBytes: Int
  /// Neurons by device, a parity block counting for as many as it has positions.
  package var neurons: [Int]
  /// Neurons of the model.
  package var modelNeurons: Int

  /// Counts what each of `devices` devices holds: a neuron's weights at every holder, but in a coded
  /// layer only at its primary, with parity blocks beside it; constants of channel-local nodes at
  /// every holder.
  ///
  /// - Parameter common: elements of constants that belong to no layer, so that every device holds
  ///   them (`LayerTraits.common`).
  package init(
    of placements: [LayerPlacement], layers: [LayerTraits], devices: Int, common: Int = 0
  ) {
    let size = ElementType.float32.size
    bytes = Array(repeating: common * size, count: devices)
    neurons = Array(repeating: 0, count: devices)
    modelBytes = layers.reduce(common) { $0 + $1.neurons * $1.weights } * size
    modelNeurons = layers.reduce(0) { $0 + $1.neurons }
    for (placement, layer) in zip(placements, layers) {
      for holders in placement.holders {
        for (rank, device) in holders.enumerated() {
          bytes[device] += layer.localWeights * size
          guard rank == 0 || placement.code == nil else { continue }
          bytes[device] += layer.mixingWeights * size
          neurons[device] += 1
        }
      }
      for stripe in placement.code?.stripes ?? [] {
        for parity in stripe.parity {
          bytes[parity.device] += stripe.width * layer.mixingWeights * size
          neurons[parity.device] += stripe.width
        }
      }
    }
  }

  /// How often the model is held, all devices together.
  package func copies(_ counting: Counting = .weights) -> Double {
    switch counting {
    case .weights: Double(bytes.reduce(0, +)) / Double(max(1, modelBytes))
    case .neurons: Double(neurons.reduce(0, +)) / Double(max(1, modelNeurons))
    }
  }

  /// The largest bytes of weights on one device.
  package var largest: Int { bytes.max() ?? 0 }

  /// What one copy of a neuron counts for.
  package enum Counting: String, Sendable, CaseIterable {
    /// The bytes of its weights.
    case weights
    /// One.
    case neurons
  }
}
