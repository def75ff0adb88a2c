import ArgumentParser
import Plan
import Tables
import WireProtocol

/// How long to wait for parts.
struct DeadlineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How long to wait for a part of another device: consequence, consequence:30ms..2s, adaptive, adaptive:30ms..1s, fixed:30ms, or every:30ms.",
      discussion: """
        adaptive learns for each stage and device how late its parts usually are, and waits four times \
        as long, within the bounds. consequence waits like that, from the first time on, where copies \
        or parity that have come make up for the part, or the plan's study says that its loss costs \
        nothing. Where nothing does, it waits until the device's will, its goodbye or half a second \
        without any sign of life say that it is gone, and up to the second time if it lives. A device \
        that misses a deadline is not waited for again until its own parts are in time. fixed waits \
        as long for everybody; every does so in every exchange, whoever missed an earlier one. A \
        worker waits for other workers, and a client for the last layer's parts once the first has \
        come. With consequence and adaptive these are times in which nothing moves: as long as pieces of \
        a part come, or the device says that it receives and sends, it is waited for, however slow the links.
        """, valueName: "policy"))
  var deadline = DeadlineArgument(.standard, "consequence")
}

/// What replicas do.
struct ReplicaOptions: ParsableArguments {
  @Option(
    name: .customLong("replicas"),
    help: ArgumentHelp(
      "standby or active: what copies and parity do while their devices are there.",
      discussion: """
        On standby they cost nothing until a device is missing. Active ones are always computed and \
        sent, so that not even the frame in which a device dies lacks what others hold.
        """))
  var mode = Mode.standby

  enum Mode: String, ExpressibleByArgument, CaseIterable {
    case standby, active
  }

  var replicas: Replicas { mode == .active ? .active : .standby }
}

/// A `DeadlinePolicy` on the command line; a time alone is a fixed one.
struct DeadlineArgument: ExpressibleByArgument, CustomStringConvertible {
  let policy: DeadlinePolicy
  let description: String

  init(_ policy: DeadlinePolicy, _ description: String) {
    self.policy = policy
    self.description = description
  }

  init?(argument: String) {
    let fields = argument.split(separator: ":", maxSplits: 1).map(String.init)
    switch (fields.first, fields.count) {
    case ("consequence", 1): self.init(.standard, argument)
    case ("consequence", 2):
      guard let (floor, bound) = Self.range(fields[1]) else { return nil }
      self.init(.consequence(floor: floor, bound: bound), argument)
    case ("adaptive", 1): self.init(.learned, argument)
    case ("adaptive", 2):
      guard let (floor, ceiling) = Self.range(fields[1]) else { return nil }
      self.init(.adaptive(floor: floor, ceiling: ceiling), argument)
    case ("fixed", 2):
      guard let wait = Self.time(fields[1]) else { return nil }
      self.init(.fixed(wait), argument)
    case ("every", 2):
      guard let wait = Self.time(fields[1]) else { return nil }
      self.init(.every(wait), argument)
    case (_, 1):
      guard let wait = Self.time(argument) else { return nil }
      self.init(.fixed(wait), argument)
    default: return nil
    }
  }

  var defaultValueDescription: String { description }

  /// Two times with two dots between them, the shorter first.
  private static func range(_ text: String) -> (Duration, Duration)? {
    guard let dots = text.firstRange(of: ".."), let low = time(text[..<dots.lowerBound]),
      let high = time(text[dots.upperBound...]), low <= high
    else { return nil }
    return (low, high)
  }

  private static func time(_ text: some StringProtocol) -> Duration? {
    TimeArgument(argument: String(text)).map { max($0.duration, .zero) }
  }
}
