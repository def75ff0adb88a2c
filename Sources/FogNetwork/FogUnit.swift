public import TensorCore

/// A chain of layers with one input, the sum of what arrives: all layers of a physical node, or the
/// projection of one hyperconnection, which its receiver computes.
public struct FogUnit: Sendable, Hashable {
  /// Where something arrives from.
  public enum Origin: Sendable, Hashable {
    /// A source, by number.
    case source(Int)
    /// Another unit, by its position in `FogDesign.units`.
    case unit(Int)
  }

  /// One thing that arrives.
  public struct Arrival: Sendable, Hashable {
    /// Who sends it.
    public var origin: Origin
    /// What it is multiplied with.
    public var weight: Double
    /// Elements of one sample; the rest up to the input's is zero.
    public var count: Int
    /// Whether it came over a skip hyperconnection.
    public var skip: Bool
  }

  /// One layer.
  public struct Layer: Sendable, Hashable {
    /// Its kind and sizes; `count` is 1.
    public var kind: FogLayer
    /// Of one sample.
    public var input: Shape
    /// Of one sample.
    public var output: Shape
    /// Its weights' and bias's names in a model file; nil for layers without.
    public var weights: String?
    /// See `weights`.
    public var bias: String?
  }

  /// Unique: the physical node's name, or `from>to` for a projection.
  public var name: String
  /// The physical node that computes it, by number.
  public var node: Int
  /// What is added up, in the order of the file.
  public var arrivals: [Arrival]
  /// The input's shape for one sample: that of the widest arrival of the design, whoever survives.
  public var input: Shape
  /// The layers, first to last.
  public var layers: [Layer]

  /// The output's shape for one sample.
  public var output: Shape { layers.last?.output ?? input }

  /// The number of weights and biases.
  public var parameters: Int {
    layers.reduce(0) { sum, layer in
      sum + (layer.kind.weights(layer.input)?.shape.count ?? 0)
        + (layer.bias == nil ? 0 : layer.output[0])
    }
  }
}
