import Foundation
import Imaging
import TensorFiles
import Tensors

/// What tools/golden/make-resize-goldens.py has made.
enum Goldens {
  static func path(_ name: String) -> String { Bundle.module.bundlePath + "/Goldens/" + name }

  static func bytes(_ name: String) throws -> [UInt8] { try FileSystem.read(path(name)) }

  static func image(_ name: String) throws -> Image {
    try Image.decode(bytes(name), source: name)
  }

  static func array(_ name: String) throws -> Tensor { try NumpyFile.read(path(name + ".npy")) }
}

/// The largest difference between an image and an array of the same extents; nil if those differ.
func largestDifference(_ image: Image, _ array: Tensor) -> Int? {
  let shape = array.shape.dimensions
  guard let values = array.integers, shape[0] == image.height, shape[1] == image.width,
    image.channels == (shape.count == 3 ? shape[2] : 1)
  else { return nil }
  return zip(image.pixels, values).map { abs(Int($0) - Int($1)) }.max()
}
