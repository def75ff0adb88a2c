package import Foundations

extension ImageSet {
  /// The bytes of an image's file, as they are stored: for digests.
  ///
  /// - Throws: what reading throws.
  package func bytes(_ index: Int) throws(MartletError) -> [UInt8] {
    try items[index].location.read()
  }
}
