import ArgumentParser
import Foundations
import Glibc
import JSONCoding
import Processes
import Runtime
import Tables
import WireProtocol

/// `martlet devices`: who is there.
struct Devices: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the devices and gateways of a deployment.",
    discussion: """
      A device is alive if its presence says ready and its heartbeats come; suspect if they do not;
      unknown if there was none since this command started; lost if the broker said so. Frame and
      queue tell how far and how busy it is. Needs no plan.

      Examples:
        martlet devices --broker HOST
        martlet devices --broker HOST --watch
        martlet devices --broker HOST --json
      """)

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var log: LogOptions

  @Flag(help: "Go on showing, every second, until Ctrl-C.")
  var watch = false

  @Option(help: "How long to listen for those who have not been heard.")
  var wait = TimeArgument(.seconds(3), "3s")

  @Option(help: "How long to try to reach the broker.")
  var patience = TimeArgument(.seconds(10), "10s")

  @Flag(help: "Print one JSON object, with --watch one a second.")
  var json = false

  func run() throws {
    let watch = try DeviceWatch(
      address: try broker.address(), logger: try log.logger("martlet.devices"))
    defer { watch.close() }
    let stop = watch.stopper
    let signals = try TerminationSignals { _ in stop() }
    defer { signals.stop() }
    try watch.connect(timeout: patience.duration)
    if self.watch {
      try show(watch)
    } else {
      // Everybody beats at least twice a second unless told otherwise; new names come with the first
      // moments.
      try watch.wait(min(wait.duration, .milliseconds(300)))
      try watch.wait(wait.duration, untilSettled: true)
      try show(watch.rows)
    }
  }

  /// Shows until interrupted, which is how one ends this.
  private func show(_ watch: DeviceWatch) throws {
    do {
      while true {
        try watch.wait(.seconds(1))
        if !json, isatty(STDOUT_FILENO) == 1 { try StandardOutput.write("\u{1B}[H\u{1B}[2J") }
        try show(watch.rows)
      }
    } catch let error as MartletError where error.code == .cancelled {
      return
    }
  }

  private func show(_ rows: [DeviceRoster.Row]) throws {
    if json { return try Terminal.printJSON(["devices": rows]) }
    guard !rows.isEmpty else {
      Terminal.printLine("martlet: nobody is there in deployment \(broker.deployment)")
      return
    }
    var table = TextTable("device", "state", "epoch", "beat", "frame", "queue", "memory", "plan")
    for row in rows {
      table.add(
        row.device, row.state.rawValue, row.epoch.map { "\($0)" } ?? "-",
        row.beatAgeMilliseconds.map { "\($0) ms" } ?? "-", row.frame.map { "\($0)" } ?? "-",
        row.queue.map { "\($0)" } ?? "-",
        row.residentBytes.map { Int(clamping: $0).asBytes } ?? "-", row.plan ?? "-")
    }
    try Terminal.print(table.text)
  }
}
