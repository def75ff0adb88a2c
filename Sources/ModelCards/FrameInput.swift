package import Tensors

/// One frame's input: what the model sees, and the pixels that it was made of, if it was made of any.
///
/// After resize and crop a photograph is bytes; everything behind that is arithmetic that whoever has
/// the bytes can do as well. So bytes are what travels: exact, and a quarter of float32.
package struct FrameInput: Sendable {
  /// The model's input.
  package let tensor: Tensor
  /// Its pixels before they are normalised, rows from the top with channels side by side; empty for an
  /// input that is no image.
  package let pixels: [UInt8]

  /// An input that is no image.
  package init(_ tensor: Tensor) {
    self.tensor = tensor
    pixels = []
  }

  /// An image.
  ///
  /// - Parameter tensor: what `Preprocessing` makes of the pixels.
  package init(_ tensor: Tensor, pixels: [UInt8]) {
    self.tensor = tensor
    self.pixels = pixels
  }

  /// What devices see of it.
  ///
  /// - Parameter type: how inputs travel that are no images; images are exact.
  package func received(as type: ElementType) -> Tensor {
    guard pixels.isEmpty, type != .float32, var values = tensor.floats else { return tensor }
    values.withUnsafeMutableBufferPointer { PackedElements.roundTrip($0, as: type) }
    return Tensor(tensor.shape, values)
  }
}
