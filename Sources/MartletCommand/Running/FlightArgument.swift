import ArgumentParser
import Plan

/// How many frames are under way at once: a number, or as many as it takes.
struct FlightArgument: ExpressibleByArgument {
  static let help: ArgumentHelp = ArgumentHelp(
    """
    Frames under way at once: 1 to 64, or auto for as many as bring more answers a second (default: \
    auto for plans of --method whole, else 1).
    """, valueName: "n|auto")

  /// Nil for as many as it takes.
  let frames: Int?

  /// What a plan gets for which nothing else is said.
  init(for plan: Plan) { frames = plan.dispatchesFrames ? nil : 1 }

  init?(argument: String) {
    if argument == "auto" {
      frames = nil
    } else {
      guard let number = Int(argument), (1...64).contains(number) else { return nil }
      frames = number
    }
  }
}
