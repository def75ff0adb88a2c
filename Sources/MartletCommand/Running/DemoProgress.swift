import Runtime

/// The demo's line of progress and its events.
final class DemoProgress {
  private var lastShown: ContinuousClock.Instant?
  private let clock = ContinuousClock()

  /// A line of its own.
  func say(_ text: String) {
    Terminal.endProgress()
    Terminal.printLine(text)
  }

  /// A device came or went.
  func note(_ change: InferenceClient.DeviceState) {
    say("  \(change.device) is \(change.state)")
  }

  /// Frames per second, accuracy so far and who is alive; ten times a second on a terminal, else
  /// every two seconds.
  func show(_ statistics: DemoStatistics, devices: [InferenceClient.DeviceState]) {
    let now = clock.now
    let interval: Duration = Terminal.isInteractive ? .milliseconds(100) : .seconds(2)
    if let lastShown, now - lastShown < interval { return }
    lastShown = now
    let alive = devices.map { $0.isAlive ? $0.device : "(\($0.device) \($0.state))" }
    let line = statistics.progressLine + "  " + alive.joined(separator: " ")
    if Terminal.isInteractive { Terminal.progress(line) } else { Terminal.printLine(line) }
  }

  /// The line is not needed any more.
  func end() { Terminal.endProgress() }
}
