import ArgumentParser

/// Where a report comes from: a broker for some time, or recordings.
struct ReportSourceOptions: ParsableArguments {
  @Option(help: BrokerOptions.help)
  var broker: String?

  @OptionGroup var access: BrokerAccessOptions

  @Option(
    parsing: .upToNextOption, help: "Recordings to read instead of a broker.",
    completion: .file())
  var from: [String] = []

  @Option(name: .customLong("for"), help: "Listen for this time, such as 60s or 10min.")
  var length: TimeArgument?

  @Option(help: "Listen until there are this many answers.")
  var frames: Int?

  @Flag(help: "Listen until Ctrl-C and show the report as it grows.")
  var follow = false

  @Option(help: "With --follow: time between two looks.")
  var every = TimeArgument(.seconds(2), "2s")

  @Option(help: "How long to try to reach the broker at the start.")
  var patience = TimeArgument(.seconds(30), "30s")

  var isGiven: Bool { broker != nil || !from.isEmpty }

  func check() throws {
    guard (broker != nil) != !from.isEmpty else {
      throw ValidationError("give either --broker or --from")
    }
    guard frames ?? 1 > 0 else { throw ValidationError("--frames must be at least 1") }
    if !from.isEmpty {
      guard length == nil, frames == nil, !follow else {
        throw ValidationError("--for, --frames and --follow listen to a --broker")
      }
    } else {
      let ways = [length != nil, frames != nil, follow].count { $0 }
      guard ways == 1 else { throw ValidationError("give one of --for, --frames and --follow") }
    }
    guard every.duration >= .milliseconds(100) else {
      throw ValidationError("--every must be at least 100ms")
    }
  }
}
