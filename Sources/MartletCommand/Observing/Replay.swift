import ArgumentParser
import Glibc
import MQTT
import Processes
import Recording
import Runtime
import TensorCore
import WireProtocol

/// `martlet replay`: a recording, published again.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publishes a recording again, at its own or another speed.",
    discussion: """
      The messages go to the deployment named replay unless --deployment says otherwise, so that a
      deployment that is running is not disturbed. To read a recording as fast as possible without a
      broker: martlet report --from FILE.

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
    let client = try MQTTClient(address.broker, logger: try log.logger("martlet.replay"))
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
    Terminal.endProgress()
    print(
      "\(player.published) messages published below \(root)"
        + (player.foreign > 0 ? ", \(player.foreign) of other topics left out" : ""))
  }
}

/// Publishes recorded messages when their time comes.
struct Player {
  private(set) var published = 0
  private(set) var foreign = 0
  private let client: MQTTClient
  private let root: String
  private let speed: Replay.Speed
  private let stopped: StopFlag
  private var start: (recorded: UInt64, now: MonotonicTime)?

  init(client: MQTTClient, root: String, speed: Replay.Speed, stopped: StopFlag) {
    self.client = client
    self.root = root
    self.speed = speed
    self.stopped = stopped
  }

  /// - Returns: false when the user has asked to stop.
  mutating func play(_ message: RecordedMessage) throws(MartletError) -> Bool {
    let levels = message.topic.split(
      separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard levels.count == 4, levels[0] == "martlet", levels[1] == TopicRoot.version else {
      foreign += 1
      return stopped.signal == nil
    }
    guard wait(for: message.time) else { return false }
    // The broker delivers what it had kept as retained, and what came while recording as not.
    let isState = ["presence/", "desc/", "plan"].contains { levels[3].hasPrefix($0) }
    try publish(
      MQTTMessage(
        topic: "\(root)/\(levels[3])", payload: message.payload,
        quality: message.isAcknowledged ? .atLeastOnce : .atMostOnce,
        retain: message.isRetained || isState))
    published += 1
    return true
  }

  private mutating func wait(for time: UInt64) -> Bool {
    guard case .times(let factor) = speed else { return stopped.signal == nil }
    let start = start ?? (time, .now())
    self.start = start
    // A clock that was set back while recording makes no pause.
    let nanoseconds = time > start.recorded ? Double(time - start.recorded) / factor : 0
    let due = start.now.adding(nanoseconds: UInt64(min(nanoseconds, 1e18)))
    while stopped.signal == nil {
      let left = due.nanoseconds(since: .now())
      if left == 0 { return true }
      Terminal.progress("\(published) messages")
      usleep(UInt32(min(left / 1000 + 1, 50_000)))
    }
    return false
  }

  private func publish(_ message: MQTTMessage) throws(MartletError) {
    do {
      try client.publish(message)
    } catch let error where error.code == .resourceExhausted {
      // Faster than the broker: let it catch up.
      try client.flush(timeout: .seconds(30))
      try client.publish(message)
    }
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
