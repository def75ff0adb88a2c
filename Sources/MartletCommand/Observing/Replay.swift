import ArgumentParser
import Foundations
import MQTT
import Processes
import Recording
import Runtime
import WireProtocol

/// `martlet replay`: a recording, published again.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publishes a recording again, at its own or another speed.",
    discussion: """
      The messages go to the deployment named replay unless --deployment says otherwise, so that a
      deployment that is running is not disturbed. To read a recording as fast as possible without a
      broker: martlet report --from FILE.

      Ends with status 77 when the broker's access list forbids some of the messages, and 75 when some
      are larger than the broker takes; the others are published.

      Examples:
        martlet replay flight.rec --broker 127.0.0.1
        martlet replay flight.rec --broker 127.0.0.1 --speed 10 &
        martlet report --broker 127.0.0.1 --deployment replay --follow
      """)

  @Argument(help: "Recordings, in order.", completion: .file())
  var files: [String]

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var log: LogOptions

  @Option(help: "How many times as fast as it was, such as 0.5 or 10; or max.")
  var speed = Speed.times(1)

  @Option(help: "How long to try to reach the broker at the start.")
  var patience = TimeArgument(.seconds(30), "30s")

  enum Speed: ExpressibleByArgument, CustomStringConvertible {
    case times(Double)
    case maximum

    init?(argument: String) {
      if argument == "max" {
        self = .maximum
      } else if let value = Double(argument), value > 0, value.isFinite {
        self = .times(value)
      } else {
        return nil
      }
    }

    var description: String {
      switch self {
      case .times(let value): value == value.rounded() ? "\(Int(value))" : "\(value)"
      case .maximum: "max"
      }
    }

    var defaultValueDescription: String { description }
  }

  func run() throws {
    let paths = try files.flatMap { try RecordFiles.existing($0) }
    var address = try broker.address()
    if broker.access.deployment == nil { address.deployment = "replay" }
    let deployment = try TopicRoot(deployment: address.deployment).deployment
    let root = "martlet/\(TopicRoot.version)/\(deployment)"
    let stopped = StopFlag()
    let signals = try TerminationSignals { stopped.set(signal: $0) }
    defer { signals.stop() }
    let refusals = Refusals()
    let client = try MQTTClient(
      address.broker, logger: try log.logger("martlet.replay"),
      onEvent: { if case .publishRefused(let topic, let error) = $0 { refusals.add(topic, error) } }
    )
    defer { client.close() }
    try client.connect(timeout: patience.duration)
    var player = Player(client: client, root: root, speed: speed, stopped: stopped)
    for path in paths {
      var reader = try RecordReader(path)
      while let message = try reader.next() {
        guard try player.play(message) else { break }
      }
      if !reader.damage.isEmpty { Terminal.printLine("martlet: \(reader.damage.text(path))") }
      try stopped.check()
    }
    try client.flush(timeout: .seconds(10))
    // Every refusal has been told when the client is closed.
    client.close()
    Terminal.endProgress()
    let refused = player.refused(refusals.byTopic)
    try Terminal.print(
      "\(player.published - refused.count) messages published below \(root)"
        + (refused.count > 0 ? ", \(refused.count) refused by the broker" : "")
        + (player.foreign > 0 ? ", \(player.foreign) of other topics left out" : ""))
    if let error = refused.error { throw error }
  }
}

extension RecordReader.Damage {
  /// What is missing, in words.
  func text(_ path: String) -> String {
    var parts: [String] = []
    if gaps > 0 { parts.append("\(skippedBytes) bytes in \(gaps) places are damaged") }
    if tornBytes > 0 { parts.append("the last \(tornBytes) bytes were not written to their end") }
    return "\(path): " + parts.joined(separator: "; ") + "; the rest is used"
  }
}
