package import Tensors

/// From the pixels of a resized and cropped image to the model's input: the same arithmetic wherever it
/// is done, so that it does not matter who does it.
extension Preprocessing {
  /// The shape in which the pixels of an input travel: 1, height, width, channels. Nil for an input that
  /// is not planes of one image of these channels.
  package func pixelShape(of input: Shape) -> Shape? {
    guard input.rank == 4, input[0] == 1, input[1] == channels, input.count > 0 else { return nil }
    return Shape([1, input[2], input[3], channels])
  }

  /// Planes of normalised values, `(pixel * scale - mean) / deviation`.
  ///
  /// - Parameter pixels: rows from the top, channels side by side; any number of rows.
  package func normalised(_ pixels: UnsafeBufferPointer<UInt8>) -> [Float] {
    planes(pixels) { Int($0) }
  }

  /// The same for pixels that came as whole numbers from 0 to 255.
  package func normalised(_ pixels: UnsafeBufferPointer<Float>) -> [Float] {
    planes(pixels) { Int($0) }
  }

  private func planes<Pixel>(
    _ pixels: UnsafeBufferPointer<Pixel>, _ level: (Pixel) -> Int
  ) -> [Float] {
    let count = pixels.count / channels
    return [Float](unsafeUninitializedCapacity: pixels.count) { output, initialised in
      for channel in 0..<channels {
        let table = (0..<256).map { (Float($0) * scale - mean[channel]) / deviation[channel] }
        table.withUnsafeBufferPointer { table in
          for index in 0..<count {
            output[channel * count + index] = table[level(pixels[index * channels + channel])]
          }
        }
      }
      initialised = channels * count
    }
  }
}
