package import Foundations
package import ModelCards
package import Tensors

extension Preprocessing {
  /// The model's input for an image: float32, shape `[1, channels, height, width]` or, with channels
  /// last, `[1, height, width, channels]`.
  ///
  /// - Throws: `invalidArgument` if the fields are not valid, `resourceExhausted` for a resize of
  ///   an extremely long image.
  package func apply(_ image: Image) throws(MartletError) -> Tensor { try input(image).tensor }

  /// The same with the pixels that it was made of.
  ///
  /// - Throws: what `apply` throws.
  package func input(_ image: Image) throws(MartletError) -> FrameInput {
    try validate()
    let converted = image.converted(toChannels: channels)
    let (height, width) = try resizedExtents(converted)
    let window = CropWindow(
      height: height, width: width, crop: crop.map { ($0[0], $0[1]) } ?? (height, width))
    // The resize goes through an image of the new width and the old height.
    try Image.checkSize(
      width: window.columns.count, height: converted.height, source: "resize")
    let needsResize = height != converted.height || width != converted.width
    let visible =
      needsResize
      ? converted.resized(
        width: width, height: height, columns: window.columns, rows: window.rows, interpolation)
      : converted.cut(columns: window.columns, rows: window.rows)
    try MemoryLimit.require(
      channels * window.height * window.width, of: MemoryLayout<Float>.size,
      for: "the model's input")
    let pixels = placed(visible, window)
    let values = pixels.withUnsafeBufferPointer { normalised($0) }
    return FrameInput(
      Tensor(shape(height: window.height, width: window.width), values), pixels: pixels)
  }

  private func resizedExtents(
    _ image: Image
  ) throws(MartletError) -> (height: Int, width: Int) {
    if let resizeExact { return (resizeExact[0], resizeExact[1]) }
    guard let resizeShort else { return (image.height, image.width) }
    // TorchVision cuts the fraction of the long side off.
    let extents =
      image.width <= image.height
      ? (height: resizeShort * image.height / image.width, width: resizeShort)
      : (height: resizeShort, width: resizeShort * image.width / image.height)
    try Image.checkSize(width: extents.width, height: extents.height, source: "resize")
    return extents
  }

  /// The pixels of the crop; outside the visible window it is black.
  private func placed(_ visible: Image, _ window: CropWindow) -> [UInt8] {
    if visible.width == window.width, visible.height == window.height { return visible.pixels }
    var pixels = [UInt8](repeating: 0, count: channels * window.height * window.width)
    let length = visible.width * channels
    for row in 0..<visible.height {
      let target = ((row + window.top) * window.width + window.left) * channels
      pixels.replaceSubrange(
        target..<target + length, with: visible.pixels[row * length..<(row + 1) * length])
    }
    return pixels
  }
}

/// Where the crop lies on the resized image, and where the image lies in the crop.
private struct CropWindow {
  /// The extents of the crop.
  var height: Int
  var width: Int
  /// What is seen of the image.
  var rows: Range<Int>
  var columns: Range<Int>
  /// Where that stands in the crop.
  var top: Int
  var left: Int

  init(height: Int, width: Int, crop: (height: Int, width: Int)) {
    (self.height, self.width) = (crop.height, crop.width)
    (rows, top) = CropWindow.place(crop.height, in: height)
    (columns, left) = CropWindow.place(crop.width, in: width)
  }

  /// TorchVision's `center_crop`: an odd margin is halved to the nearest even number.
  private static func place(_ wanted: Int, in available: Int) -> (Range<Int>, Int) {
    guard wanted < available else { return (0..<available, (wanted - available) / 2) }
    let start = Int((Double(available - wanted) / 2).rounded(.toNearestOrEven))
    return (start..<(start + wanted), 0)
  }
}

extension Image {
  /// The given part of the image.
  fileprivate func cut(columns: Range<Int>, rows: Range<Int>) -> Image {
    if columns.count == width, rows.count == height { return self }
    var result: [UInt8] = []
    result.reserveCapacity(columns.count * rows.count * channels)
    for row in rows {
      let start = (row * width + columns.lowerBound) * channels
      result.append(contentsOf: pixels[start..<(start + columns.count * channels)])
    }
    return Image(width: columns.count, height: rows.count, channels: channels, pixels: result)
  }
}
