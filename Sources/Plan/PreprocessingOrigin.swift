package import ModelCards
package import Tensors

/// Where a preprocessing is from.
package enum PreprocessingOrigin: Sendable, Equatable {
  /// A file named by `--preprocessing`.
  case option(String)
  /// The card beside the model.
  case card(String)
  /// A plan, by its id.
  case plan(String)
  /// Nothing says it: what is usual for the model's input.
  case standard

  /// In JSON.
  package var name: String {
    switch self {
    case .option: "option"
    case .card: "card"
    case .plan: "plan"
    case .standard: "default"
    }
  }

  /// The file or the plan's id.
  package var source: String? {
    switch self {
    case .option(let source), .card(let source), .plan(let source): source
    case .standard: nil
    }
  }
}

extension Preprocessing {
  /// Whether a model's input may be an image: of 1 or 3 channels, first or last.
  static func mayTake(_ input: Shape) -> Bool {
    input.rank == 4 && [input[1], input[3]].contains { $0 == 1 || $0 == 3 }
  }

  /// What is taken for a model of which nothing more is known than the shape of its input; nil when
  /// that is no image. Channels are first if they may be. Of one channel that is last only a square is
  /// an image, for features over time have that shape, too.
  package static func usual(for input: Shape) -> Preprocessing? {
    guard mayTake(input) else { return nil }
    let isFirst = input[1] == 1 || input[1] == 3
    let (channels, height, width) =
      isFirst ? (input[1], input[2], input[3]) : (input[3], input[1], input[2])
    guard isFirst || channels == 3 || height == width else { return nil }
    let layout: Layout? = isFirst ? nil : .channelsLast
    guard channels == 3 else {
      var plain = Preprocessing.plain(channels: channels, height: height, width: width)
      plain.layout = layout
      return plain
    }
    var usual = Preprocessing.torchVision
    usual.layout = layout
    // The proportion of TorchVision's evaluation transform: 256 to 224.
    usual.resizeShort = min(height, width) * 256 / 224
    usual.crop = [height, width]
    return usual
  }
}
