import Foundations
import ModelGraph
package import Tensors

/// One layer of a physical node, or several alike.
///
/// In a file: `{"kind": "dense", "width": 250, "count": 2, "activation": "relu"}`.
package struct FogLayer: Sendable, Hashable, Codable {
  /// What a layer computes.
  package enum Kind: String, Sendable, Hashable, Codable {
    /// Fully connected; images are flattened before it.
    case dense
    /// A convolution that keeps height and width but for its stride.
    case convolution
    /// A convolution of each channel by itself.
    case depthwise
    /// The largest element of windows that do not overlap.
    case pool
    /// The mean of each channel: an image becomes a vector.
    case average
  }

  /// What follows a dense or convolution layer.
  package enum Following: String, Sendable, Hashable, Codable {
    /// max(x, 0)
    case relu
    /// Nothing, as for the last layer.
    case none
  }

  /// What it computes.
  package var kind: Kind
  /// Units of a dense layer or output channels of a convolution; 0 for other kinds.
  package var width: Int
  /// How many such layers follow one another.
  package var count: Int
  /// What follows each.
  package var activation: Following
  /// Height and width of the window; odd for convolutions.
  package var kernel: Int
  /// Steps between windows of a convolution.
  package var stride: Int

  private enum CodingKeys: String, CodingKey {
    case kind, width, count, activation, kernel, stride
  }

  /// Makes a layer.
  package init(
    _ kind: Kind, width: Int = 0, count: Int = 1, activation: Following = .relu, kernel: Int = 0,
    stride: Int = 1
  ) {
    self.kind = kind
    self.width = width
    self.count = count
    self.activation = activation
    self.kernel = kernel
    self.stride = stride
  }

  /// Fully connected layers.
  package static func dense(
    _ width: Int, count: Int = 1, activation: Following = .relu
  ) -> FogLayer {
    FogLayer(.dense, width: width, count: count, activation: activation)
  }

  /// Decodes a layer; what its kind does not need may be left out.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    kind = try container.decode(Kind.self, forKey: .kind)
    width = try container.decodeIfPresent(Int.self, forKey: .width) ?? 0
    count = try container.decodeIfPresent(Int.self, forKey: .count) ?? 1
    activation = try container.decodeIfPresent(Following.self, forKey: .activation) ?? .relu
    kernel = try container.decodeIfPresent(Int.self, forKey: .kernel) ?? 0
    stride = try container.decodeIfPresent(Int.self, forKey: .stride) ?? 1
  }

  /// The shape of one sample after one such layer.
  ///
  /// - Parameter shape: of one sample before it: `[width]` or `[channels, height, width]`.
  /// - Throws: `invalidShape` when the layer cannot take it or is described wrongly.
  func outputShape(_ shape: Shape) throws(MartletError) -> Shape {
    func refuse(_ message: String) -> MartletError {
      MartletError(.invalidShape, message, context: ["layer": kind.rawValue, "input": "\(shape)"])
    }
    if kind == .dense || kind == .convolution {
      guard (1...1_000_000).contains(width) else {
        throw refuse("a layer's width must be 1 to 1000000")
      }
    }
    guard kind != .dense else { return [width] }
    guard shape.rank == 3 else { throw refuse("this kind of layer takes an image") }
    switch kind {
    case .dense: return [width]
    case .average: return [shape[0]]
    case .pool:
      guard (2...64).contains(kernel), kernel <= min(shape[1], shape[2]) else {
        throw refuse("a pooling window must be 2 or more and no larger than the image")
      }
      return [shape[0], shape[1] / kernel, shape[2] / kernel]
    case .convolution, .depthwise:
      guard (1...31).contains(kernel), kernel % 2 == 1, (1...8).contains(stride) else {
        throw refuse("a convolution needs an odd kernel up to 31 and a stride of 1 to 8")
      }
      return [
        kind == .convolution ? width : shape[0],
        (shape[1] - 1) / stride + 1, (shape[2] - 1) / stride + 1,
      ]
    }
  }

  /// The shape of one such layer's weights, and how many weights a unit reads and feeds; nil for
  /// layers without weights.
  package func weights(_ shape: Shape) -> (shape: Shape, fanIn: Int, fanOut: Int)? {
    switch kind {
    case .dense: return ([width, shape.count], shape.count, width)
    case .convolution:
      return (
        [width, shape[0], kernel, kernel], shape[0] * kernel * kernel, width * kernel * kernel
      )
    case .depthwise: return ([shape[0], 1, kernel, kernel], kernel * kernel, kernel * kernel)
    case .pool, .average: return nil
    }
  }

  /// Whether a bias is added.
  var hasBias: Bool { kind == .dense || kind == .convolution || kind == .depthwise }
}
