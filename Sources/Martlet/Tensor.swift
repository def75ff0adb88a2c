import Foundations
import Tensors

/// Numbers in rows, planes and so on: what goes into a model and what comes out of it.
public struct Tensor: Sendable, Equatable {
  /// The extents, outermost first, such as `[1, 3, 224, 224]` for one image of three channels. A
  /// scalar has none.
  public let shape: [Int]
  /// The elements, the last axis running fastest; as many as the product of the extents.
  public let values: [Float]

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
  }

  /// The same of the modules below; whole numbers become floating-point ones.
  init(_ tensor: Tensors.Tensor) {
    shape = tensor.shape.dimensions
    values = tensor.floats ?? tensor.integers?.map { Float($0) } ?? []
  }

  /// For the modules below.
  var core: Tensors.Tensor { Tensors.Tensor(Shape(shape), values) }
}
