package import Foundations
package import Tensors

/// What happens to an image before the model sees it; kept in the plan.
///
/// In this order: channels, resize, centre crop, scale, then `(value - mean) / deviation`.
package struct Preprocessing: Codable, Sendable, Equatable {
  /// How a model lays out the numbers of an image.
  package enum Layout: String, Codable, Sendable {
    /// Planes: 1, channels, height, width.
    case channelsFirst
    /// Pixels: 1, height, width, channels.
    case channelsLast
  }

  /// The most pixels that an image may have.
  package static let maximumPixels = 100_000_000

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
  /// How the result is laid out; nil, which is channels first, where nothing says it. See
  /// `fitted(to:)`.
  package var layout: Layout?

  /// Makes a preprocessing; `validate` says whether it can be applied.
  package init(
    channels: Int, resizeShort: Int? = nil, resizeExact: [Int]? = nil, crop: [Int]? = nil,
    mean: [Float], deviation: [Float], scale: Float = 1 / 255,
    interpolation: Interpolation = .bilinear, layout: Layout? = nil
  ) {
    self.channels = channels
    self.resizeShort = resizeShort
    self.resizeExact = resizeExact
    self.crop = crop
    self.mean = mean
    self.deviation = deviation
    self.scale = scale
    self.interpolation = interpolation
    self.layout = layout
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
    (crop ?? resizeExact).map { shape(height: $0[0], width: $0[1]) }
  }

  /// The shape of an image's numbers.
  package func shape(height: Int, width: Int) -> Shape {
    layout == .channelsLast ? [1, height, width, channels] : [1, channels, height, width]
  }

  /// The same, laid out as a model's input says where this does not.
  package func fitted(to input: Shape) -> Preprocessing {
    let wanted = [1] + input.dimensions.dropFirst()
    guard layout == nil, outputShape?.dimensions != wanted else { return self }
    var other = self
    other.layout = .channelsLast
    return other.outputShape?.dimensions == wanted ? other : self
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
          $0.count == 2 && $0.allSatisfy(sides.contains) && $0[0] * $0[1] <= Self.maximumPixels
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
    layout = try container.decodeIfPresent(Layout.self, forKey: .layout)
    try validate()
  }
}
