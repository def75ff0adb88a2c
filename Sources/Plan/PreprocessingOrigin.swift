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
  /// What is taken for a model of which nothing more is known than the shape of its input; nil when
  /// that is no image.
  package static func usual(for input: Shape) -> Preprocessing? {
    guard input.rank == 4, input[1] == 1 || input[1] == 3 else { return nil }
    let (channels, height, width) = (input[1], input[2], input[3])
    guard channels == 3 else { return .plain(channels: channels, height: height, width: width) }
    var usual = Preprocessing.torchVision
    // The proportion of TorchVision's evaluation transform: 256 to 224.
    usual.resizeShort = min(height, width) * 256 / 224
    usual.crop = [height, width]
    return usual
  }
}
