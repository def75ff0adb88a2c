package import Foundations
package import Tensors

/// The images that scores are computed from, prepared as the model's input. They must not be those
/// that accuracy is measured on afterwards.
package struct CalibrationImages: Sendable {
  /// How many.
  package let count: Int
  /// A SHA-256 over the images in order and how they are prepared.
  package let sha256: String
  private let read: @Sendable (Int) throws(MartletError) -> Tensor

  /// Makes a set; `read` gives the model's input for one image, with a batch of 1.
  package init(
    count: Int, sha256: String, read: @escaping @Sendable (Int) throws(MartletError) -> Tensor
  ) {
    self.count = count
    self.sha256 = sha256
    self.read = read
  }

  /// The model's input for one image.
  package func input(_ index: Int) throws(MartletError) -> Tensor { try read(index) }
}
