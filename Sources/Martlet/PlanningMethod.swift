import Foundations
import Planning

/// A way to divide a model over devices, such as `interleaved`, `coded` or `robustdice`.
public struct PlanningMethod: Sendable, Identifiable {
  /// Something that can be chosen.
  public struct Option: Sendable, Hashable {
    /// What it is called; a key of the options of a plan.
    public let name: String
    /// What it does, in a sentence.
    public let help: String
    /// What its text may be, in words, such as `a whole number, 1 or more`.
    public let allowed: String
    /// Its text unless given; nil if that is left open.
    public let standard: String?

    init(_ option: any MethodOptionFacts) {
      name = option.name
      help = option.help
      allowed = option.allowed
      standard = option.standard
    }
  }

  /// What it is called.
  public let name: String
  /// What it does, in a line.
  public let summary: String
  /// What can be chosen.
  public let options: [Option]
  /// Whether devices may ask for different shares of the work.
  public let takesShares: Bool
  /// Whether it measures with calibration images.
  public let needsImages: Bool
  /// Whether it plans without any option or image.
  public let worksAlone: Bool

  /// Its name.
  public var id: String { name }

  init(_ method: any Planning.PlanningMethod) {
    name = method.name
    summary = method.summary
    options = method.options.map { Option($0) }
    takesShares = method.abilities.takesShares
    needsImages = method.abilities.needsImages
    worksAlone = method.abilities.worksAlone
  }

  /// The methods there are, the simple ones first.
  public static var all: [PlanningMethod] {
    PlanningMethods.standard.all.map { PlanningMethod($0) }
  }

  /// The name of the method that is taken unless another is named.
  public static var usual: String { PlanningMethods.usual.name }

  /// What stands in place of a name for whichever method is predicted to be best.
  public static var automatic: String { PlanningMethods.automatic }

  /// The method of a name.
  ///
  /// - Throws: ``MartletError/Code/invalidArgument``, with the names there are.
  public static func named(_ name: String) throws(MartletError) -> PlanningMethod {
    PlanningMethod(
      try wrappingErrors { () throws(Foundations.MartletError) in
        try PlanningMethods.standard.named(name)
      })
  }
}
