package import Foundations
package import Tensors

/// What happens to an image before the model sees it; kept in the plan.
///
/// In this order: channels, resize, centre crop, scale, then `(value - mean) / deviation`.
package struct Preprocessing: Codable, Sendable, Equatable {
  /// 1 (grey) or 3 (red, green, blue).
  package var channels: Int
  /// The length of the short side after resizing; the long one keeps the proportion.
  package var resizeShort: Int?
  /// Height and width after resizing, whatever the proportion; wins over `resizeShort`.
  package var resizeExact: [Int]?
  /// Height and width of the centre that is kept; beyond the image it is black.
  package var crop: [Int]?
  /// Subtracted after scaling: one number for each channel.
  package var mean: [Float]
  /// Divided by at last: one number for each channel, none of them zero.
  package var deviation: [Float]
  /// Multiplied with each pixel first.
  package var scale: Float
  /// The filter of the resize.
  package var interpolation: Interpolation

  /// Makes a preprocessing; `validate` says whether it can be applied.
  package init(
    channels: Int, resizeShort: Int? = nil, resizeExact: [Int]? = nil, crop: [Int]? = nil,
    mean: [Float], deviation: [Float], scale: Float = 1 / 255,
    interpolation: Interpolation = .bilinear
  ) {
    self.channels = channels
    self.resizeShort = resizeShort
    self.resizeExact = resizeExact
    self.crop = crop
    self.mean = mean
    self.deviation = deviation
    self.scale = scale
    self.interpolation = interpolation
  }

  /// TorchVision's evaluation transform for ImageNet: short side 256, centre 224 x 224.
  package static let torchVision = Preprocessing(
    channels: 3, resizeShort: 256, crop: [224, 224], mean: [0.485, 0.456, 0.406],
    deviation: [0.229, 0.224, 0.225])

  /// Only the size and the range 0 to 1: what fits a model of which nothing more is known.
  package static func plain(channels: Int, height: Int, width: Int) -> Preprocessing {
    Preprocessing(
      channels: channels, resizeExact: [height, width],
      mean: [Float](repeating: 0, count: channels),
      deviation: [Float](repeating: 1, count: channels))
  }

  /// The shape of every result, or nil where it depends on the image.
  package var outputShape: Shape? {
    (crop ?? resizeExact).map { Shape([1, channels, $0[0], $0[1]]) }
  }

  /// Checks every field.
  ///
  /// - Throws: `invalidArgument` naming the field.
  package func validate() throws(MartletError) {
    func require(_ isRight: Bool, _ field: String, _ rule: String) throws(MartletError) {
      guard isRight else {
        throw MartletError(
          .invalidArgument, "the preprocessing is not valid: \(field) must be \(rule)")
      }
    }
    let sides = 1...16384
    try require(channels == 1 || channels == 3, "channels", "1 or 3")
    try require(resizeShort.map(sides.contains) ?? true, "resizeShort", "from 1 to 16384")
    for (field, pair) in [("resizeExact", resizeExact), ("crop", crop)] {
      try require(
        pair.map {
          $0.count == 2 && $0.allSatisfy(sides.contains) && $0[0] * $0[1] <= Image.maximumPixels
        } ?? true, field, "height and width from 1 to 16384, at most 100 million pixels")
    }
    try require(
      mean.count == channels && mean.allSatisfy(\.isFinite), "mean", "a number for each channel")
    try require(
      deviation.count == channels && deviation.allSatisfy { $0.isFinite && $0 != 0 }, "deviation",
      "a number other than zero for each channel")
    try require(scale.isFinite, "scale", "a number")
  }

  /// Decodes and validates.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    channels = try container.decode(Int.self, forKey: .channels)
    resizeShort = try container.decodeIfPresent(Int.self, forKey: .resizeShort)
    resizeExact = try container.decodeIfPresent([Int].self, forKey: .resizeExact)
    crop = try container.decodeIfPresent([Int].self, forKey: .crop)
    mean = try container.decode([Float].self, forKey: .mean)
    deviation = try container.decode([Float].self, forKey: .deviation)
    scale = try container.decode(Float.self, forKey: .scale)
    interpolation = try container.decode(Interpolation.self, forKey: .interpolation)
    try validate()
  }

  /// The model's input for an image: float32, shape `[1, channels, height, width]`.
  ///
  /// - Throws: `invalidArgument` if the fields are not valid, `resourceExhausted` for a resize of
  ///   an extremely long image.
  package func apply(_ image: Image) throws(MartletError) -> Tensor {
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
    return normalised(visible, window)
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

  /// Planes of normalised values; outside the visible window the image is black.
  private func normalised(_ visible: Image, _ window: CropWindow) -> Tensor {
    let plane = window.height * window.width
    var values = [Float](repeating: 0, count: channels * plane)
    values.withUnsafeMutableBufferPointer { output in
      visible.pixels.withUnsafeBufferPointer { input in
        for channel in 0..<channels {
          let table = (0..<256).map { (Float($0) * scale - mean[channel]) / deviation[channel] }
          let base = channel * plane
          if visible.width * visible.height < plane {
            UnsafeMutableBufferPointer(rebasing: output[base..<(base + plane)])
              .update(repeating: table[0])
          }
          for row in 0..<visible.height {
            let target = base + (row + window.top) * window.width + window.left
            let source = row * visible.width * channels + channel
            for column in 0..<visible.width {
              output[target + column] = table[Int(input[source + column * channels])]
            }
          }
        }
      }
    }
    return Tensor([1, channels, window.height, window.width], values)
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
