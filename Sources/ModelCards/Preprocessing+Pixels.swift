package import Tensors

/// From the pixels of a resized and cropped image to the model's input: the same arithmetic wherever it
/// is done, so that it does not matter who does it.
extension Preprocessing {
  /// The shape in which the pixels of an input travel: 1, height, width, channels. Nil for an input that
  /// is not one image of these channels, laid out as this says.
  package func pixelShape(of input: Shape) -> Shape? {
    guard input.rank == 4, input[0] == 1, input.count > 0 else { return nil }
    if layout == .channelsLast { return input[3] == channels ? input : nil }
    return input[1] == channels ? Shape([1, input[2], input[3], channels]) : nil
  }

  /// Normalised values, `(pixel * scale - mean) / deviation`, in planes or, with channels last, where
  /// the pixels are.
  ///
  /// - Parameter pixels: rows from the top, channels side by side; any number of rows.
  package func normalised(_ pixels: UnsafeBufferPointer<UInt8>) -> [Float] {
    values(pixels) { Int($0) }
  }

  /// The same for pixels that came as whole numbers from 0 to 255.
  package func normalised(_ pixels: UnsafeBufferPointer<Float>) -> [Float] {
    values(pixels) { Int($0) }
  }

  private func values<Pixel>(
    _ pixels: UnsafeBufferPointer<Pixel>, _ level: (Pixel) -> Int
  ) -> [Float] {
    let count = pixels.count / channels
    return [Float](unsafeUninitializedCapacity: pixels.count) { output, initialised in
      let (step, apart) = layout == .channelsLast ? (channels, 1) : (1, count)
      for channel in 0..<channels {
        let table = (0..<256).map { (Float($0) * scale - mean[channel]) / deviation[channel] }
        table.withUnsafeBufferPointer { table in
          for index in 0..<count {
            output[channel * apart + index * step] =
              table[level(pixels[index * channels + channel])]
          }
        }
      }
      initialised = channels * count
    }
  }
}
