import Charts
import Glibc
import Tables

/// What `martlet bench deadline` found; times in milliseconds unless named otherwise.
struct DeadlineReport: Encodable {
  /// The frames under one deadline.
  struct Row: Encodable {
    var deadline: String
    var timeoutMicroseconds: Double?
    var mean = 0.0
    var p50 = 0.0
    var p99 = 0.0
    var accuracy: Double?
    var filledParts = 0

    init(deadline: String) { self.deadline = deadline }

    private enum CodingKeys: String, CodingKey {
      case deadline, accuracy
      case timeoutMicroseconds = "timeout_us"
      case mean = "latency_mean_ms"
      case p50 = "latency_p50_ms"
      case p99 = "latency_p99_ms"
      case filledParts = "filled_parts"
    }
  }

  var model: String
  var method: String
  var devices: Int
  /// The device that sends nothing.
  var silent: String
  var frames: Int
  /// All devices send, and nobody stops waiting.
  var healthy: Row
  /// By timeout, with one silent device.
  var timeouts: [Row]
  /// With one silent device.
  var adaptive: Row

  private enum CodingKeys: String, CodingKey {
    case model, method, devices, frames, timeouts, adaptive
    case silent = "silent_device"
    case healthy = "no_failure"
  }

  /// For people.
  var text: String {
    var table = TextTable(
      "deadline", "mean ms", "p50 ms", "p99 ms", "accuracy %", "parts filled/frame")
    func add(_ name: String, _ row: Row) {
      table.add(
        name, row.mean.formatted(2), row.p50.formatted(2), row.p99.formatted(2),
        row.accuracy.map { ($0 * 100).formatted(1) } ?? "-",
        (Double(row.filledParts) / Double(frames)).formatted(1))
    }
    add("none, no failure", healthy)
    for row in timeouts { add(row.deadline, row) }
    add(adaptive.deadline, adaptive)
    return """
      \(model), \(method), \(devices) devices, \(frames) frames each; \(silent) is silent but for the \
      first row

      \(table.text)
      """
  }

  /// The figure: latency above, accuracy beside it, over the logarithm of the timeout.
  var chart: ScatterChart {
    let rows = timeouts.compactMap { row in row.timeoutMicroseconds.map { (log10($0), row) } }
    let ends = [rows.first?.0, rows.last?.0].compactMap { $0 }
    func points(_ value: (Row) -> Double?) -> [ScatterChart.Point] {
      rows.compactMap { place, row in value(row).map { ScatterChart.Point(place, $0) } }
    }
    func level(_ value: Double?) -> [ScatterChart.Point] {
      value.map { value in ends.map { ScatterChart.Point($0, value) } } ?? []
    }
    let percent: (Row) -> Double? = { $0.accuracy.map { $0 * 100 } }
    return ScatterChart(
      title: "Latency and accuracy against the timeout, one of \(devices) devices silent",
      description: """
        \(model), method \(method): the mean latency of an image in milliseconds, and the share of \
        right answers in percent, while one device sends nothing and every exchange waits for the \
        timeout; with the default deadline; and without failure.
        """,
      xLabel: "timeout, as the power of ten of microseconds",
      yLabel: "ms, and %",
      panels: [.init(name: "latency, ms"), .init(name: "accuracy, %")],
      series: [
        .init(
          name: "fixed timeout", isJoined: true, points: [points(\.mean), points(percent)]),
        .init(
          name: "adaptive deadline", isJoined: true,
          points: [level(adaptive.mean), level(percent(adaptive))]),
        .init(
          name: "no failure", isJoined: true,
          points: [level(healthy.mean), level(percent(healthy))]),
      ])
  }
}
