import Tensors

extension Plan {
  /// What stands in for channels that are lost: a kind, and the numbers that this takes.
  package struct Fill: Sendable, Hashable {
    /// A way to fill. Its name stands in commands and files.
    package enum Kind: String, CaseIterable, Sendable, Codable {
      /// Zero.
      case zero
      /// Each channel's mean over calibration images.
      case mean

      /// What it is, for the help of an option.
      ///
      /// - Parameter images: how an option says that images are given, such as `over --calibration`.
      package func help(images: String) -> String {
        switch self {
        case .zero: "zero"
        case .mean: "mean " + images
        }
      }

      /// Whether it takes constants, which are measured on calibration images.
      package var needsImages: Bool {
        switch self {
        case .zero: false
        case .mean: true
        }
      }

      /// What its constants are called, as is their file in a plan's folder.
      var constantsName: String { rawValue + "s" }

      /// Those that are measured on calibration images.
      package static var measured: [Kind] { allCases.filter(\.needsImages) }

      /// All, for the help of an option.
      package static func help(images: String) -> String {
        allCases.map { $0.help(images: images) }.joined(separator: ", or ")
      }
    }

    /// How channels are filled.
    package let kind: Kind
    /// What channels are filled with, by exchange (for a masked model: by point), then channel; of
    /// exchanges that are decoded there is none. Nil for zero.
    package let constants: [[Float]]?

    /// Zero.
    package static let zero = Fill(.zero)

    /// Joins a kind and what it takes.
    ///
    /// - Precondition: there are constants just where the kind needs them.
    package init(_ kind: Kind, constants: [[Float]]? = nil) {
      precondition(kind.needsImages == (constants != nil), "constants where the kind needs them")
      self.kind = kind
      self.constants = constants
    }

    /// Whether there is a finite constant for each channel that may be lost.
    func fits(_ exchanges: [ExchangePoint]) -> Bool {
      guard let constants else { return true }
      return constants.count == exchanges.count
        && zip(constants, exchanges).allSatisfy {
          !$1.takesConstants || $0.count == $1.shape[$1.axis]
        } && constants.allSatisfy { $0.allSatisfy(\.isFinite) }
    }
  }
}
