import Foundations
import ModelCards
import Tensors

/// Numbers in rows, planes and so on: what goes into a model and what comes out of it.
public struct Tensor: Sendable, Equatable {
  /// The extents, outermost first, such as `[1, 3, 224, 224]` for one image of three channels. A
  /// scalar has none.
  public let shape: [Int]
  /// The elements, the last axis running fastest; as many as the product of the extents.
  public let values: [Float]
  /// The pixels that it was made of; empty if it was not made of an image.
  let pixels: [UInt8]

  /// Makes a tensor.
  ///
  /// - Parameters:
  ///   - shape: the extents, outermost first; none of them negative, at most 16.
  ///   - values: the elements, the last axis running fastest.
  /// - Throws: ``MartletError/Code/invalidShape`` when there are not as many elements as the shape
  ///   has, or the shape cannot be.
  public init(shape: [Int], values: [Float]) throws(MartletError) {
    let known = try wrappingErrors { () throws(Foundations.MartletError) in
      try Shape(checking: shape)
    }
    guard known.count == values.count else {
      throw MartletError(
        .invalidShape, "a tensor has another number of elements than its shape says",
        context: ["shape": "\(known)", "elements": "\(values.count)"])
    }
    self.shape = shape
    self.values = values
    pixels = []
  }

  /// An image as a model takes it.
  init(_ input: FrameInput) {
    shape = input.tensor.shape.dimensions
    values = input.tensor.floats ?? []
    pixels = input.pixels
  }

  /// The same of the modules below; whole numbers become floating-point ones.
  init(_ tensor: Tensors.Tensor) {
    shape = tensor.shape.dimensions
    values = tensor.floats ?? tensor.integers?.map { Float($0) } ?? []
    pixels = []
  }

  /// For the modules below.
  var core: Tensors.Tensor { Tensors.Tensor(Shape(shape), values) }
  /// The same as what a client sends.
  var frame: FrameInput { pixels.isEmpty ? FrameInput(core) : FrameInput(core, pixels: pixels) }

  /// Whether shapes and elements are equal, whatever they were made of.
  public static func == (left: Tensor, right: Tensor) -> Bool {
    left.shape == right.shape && left.values == right.values
  }
}
