import Foundations
import Tables

/// What `martlet bench failures` found; times in milliseconds.
struct FailureReport: Encodable {
  struct Rate: Encodable {
    var inFlight: Int
    var framesPerSecond: Double

    private enum CodingKeys: String, CodingKey {
      case inFlight = "in_flight"
      case framesPerSecond = "frames_per_second"
    }
  }

  /// A long freeze at full rate.
  struct Stall: Encodable {
    var inFlight: Int
    var answers = 0
    var degraded = 0
    var longestGap = 0.0
    /// From the end of the freeze to the first answer that lacks nothing.
    var returned = 0.0

    private enum CodingKeys: String, CodingKey {
      case answers, degraded
      case inFlight = "in_flight"
      case longestGap = "longest_gap_ms"
      case returned = "returned_ms"
    }
  }

  var model: String
  var method: String
  var devices: Int
  var deadline: String
  var replicas: String
  var frames: Int
  var rounds: Int
  var rates: [Rate]
  /// In lockstep.
  var alive: LatencyFigures
  /// In lockstep, once the loss is known.
  var lost: LatencyFigures
  /// The slowest frame of each death.
  var deaths: [Double]
  /// The slowest frame of each freeze.
  var freezes: [Double]
  var rejoinFirstUse: [Double]
  var rejoinFirstAnswer: [Double]
  var stalls: [Stall]

  /// Latency with one device lost over latency with all alive.
  var ratio: Double { alive.p50 > 0 ? lost.p50 / alive.p50 : 0 }

  private enum CodingKeys: String, CodingKey {
    case model, method, devices, deadline, replicas, frames, rounds, rates, stalls
    case alive = "all_alive"
    case lost = "one_lost"
    case deaths = "slowest_frame_of_death_ms"
    case freezes = "slowest_frame_of_freeze_ms"
    case rejoinFirstUse = "ready_to_first_use_ms"
    case rejoinFirstAnswer = "ready_to_first_full_answer_ms"
  }

  /// For people.
  var text: String {
    var table = TextTable("measurement", "median", "worst", "")
    table.add("latency, all alive", alive.p50.formatted(2), alive.p99.formatted(2), "ms (p50, p99)")
    table.add(
      "latency, one lost", lost.p50.formatted(2), lost.p99.formatted(2),
      "ms (p50, p99), \(ratio.formatted(2)) times all alive")
    table.add(row("frame in which it is killed", deaths, over: alive.p50))
    table.add(row("frame in which it is frozen", freezes, over: alive.p50))
    table.add(row("ready to first use", rejoinFirstUse))
    table.add(row("ready to first full answer", rejoinFirstAnswer))
    for stall in stalls {
      table.add(
        "frozen for long, \(stall.inFlight) in flight", "", stall.longestGap.formatted(2),
        "ms longest gap; \(stall.answers) answers, \(stall.degraded) degraded; "
          + "back \(stall.returned.formatted(0)) ms after its return")
    }
    for rate in rates {
      table.add(
        "\(rate.inFlight) in flight", rate.framesPerSecond.formatted(1), "",
        "frames/s, \((rate.framesPerSecond / max(rates[0].framesPerSecond, 1e-9)).formatted(2)) "
          + "times lockstep")
    }
    return """
      \(model), \(method), \(devices) devices, deadline \(deadline), replicas \(replicas)

      \(table.text)
      """
  }

  private func row(_ name: String, _ values: [Double], over base: Double? = nil) -> [String] {
    var quantiles = Quantiles()
    for value in values { quantiles.add(value) }
    let median = quantiles.quantile(0.5) ?? 0
    let worst = values.max() ?? 0
    let note = base.map { ", worst \((worst - $0).formatted(1)) ms more than all alive" } ?? ""
    return [name, median.formatted(2), worst.formatted(2), "ms" + note]
  }
}
