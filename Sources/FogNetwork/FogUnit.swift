package import Tensors

/// A chain of layers with one input, the sum of what arrives: all layers of a physical node, or the
/// projection of one hyperconnection, which its receiver computes.
package struct FogUnit: Sendable, Hashable {
  /// Where something arrives from.
  package enum Origin: Sendable, Hashable {
    /// A source, by number.
    case source(Int)
    /// Another unit, by its position in `FogDesign.units`.
    case unit(Int)
  }

  /// One thing that arrives.
  package struct Arrival: Sendable, Hashable {
    /// Who sends it.
    package var origin: Origin
    /// What it is multiplied with.
    package var weight: Double
    /// Elements of one sample; the rest up to the input's is zero.
    package var count: Int
    /// Whether it came over a skip hyperconnection.
    package var skip: Bool
  }

  /// One layer.
  package struct Layer: Sendable, Hashable {
    /// Its kind and sizes; `count` is 1.
    package var kind: FogLayer
    /// Of one sample.
    package var input: Shape
    /// Of one sample.
    package var output: Shape
    /// Its weights' and bias's names in a model file; nil for layers without.
    package var weights: String?
    /// See `weights`.
    package var bias: String?
  }

  /// Unique: the physical node's name, or `from>to` for a projection.
  package var name: String
  /// The physical node that computes it, by number.
  package var node: Int
  /// What is added up, in the order of the file.
  package var arrivals: [Arrival]
  /// The input's shape for one sample: that of the widest arrival of the design, whoever survives.
  package var input: Shape
  /// The layers, first to last.
  package var layers: [Layer]

  /// The output's shape for one sample.
  package var output: Shape { layers.last?.output ?? input }

  /// The number of weights and biases.
  package var parameters: Int {
    layers.reduce(0) { sum, layer in
      sum + (layer.kind.weights(layer.input)?.shape.count ?? 0)
        + (layer.bias == nil ? 0 : layer.output[0])
    }
  }
}
