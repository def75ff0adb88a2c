import Foundations
import Tables

/// What `martlet bench stalls` found; times in milliseconds.
struct StallReport: Encodable {
  /// One number of frames in flight.
  struct Row: Encodable {
    var inFlight: Int
    var answers = 0
    /// Of another class than undisturbed.
    var wrong = 0
    var degraded = 0
    /// Sent without counting on everybody.
    var withoutSomebody = 0
    var stalls = 0
    var calm = LatencyFigures()
    var latency = LatencyFigures()
    /// Without the time in which some worker stood still.
    var unexplained = LatencyFigures()

    init(inFlight: Int) { self.inFlight = inFlight }

    private enum CodingKeys: String, CodingKey {
      case answers, wrong, degraded, stalls, unexplained
      case inFlight = "in_flight"
      case withoutSomebody = "without_somebody"
      case calm = "undisturbed"
      case latency = "stalled"
    }
  }

  var model: String
  var method: String
  var devices: Int
  var deadline: String
  var replicas: String
  var seed: UInt64
  var shortest: Double
  var longest: Double
  var rows: [Row] = []

  private enum CodingKeys: String, CodingKey {
    case model, method, devices, deadline, replicas, seed, rows
    case shortest = "shortest_ms"
    case longest = "longest_ms"
  }

  /// What is left of the latency of each answer without the time in which some worker stood still.
  ///
  /// - Parameters:
  ///   - spans: from sending a frame to its answer.
  ///   - stalls: of any worker; they may overlap.
  static func unexplained(
    _ spans: [Range<ContinuousClock.Instant>], stalls: [Range<ContinuousClock.Instant>]
  ) -> Quantiles {
    var merged: [Range<ContinuousClock.Instant>] = []
    for stall in stalls.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, stall.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, stall.upperBound)
      } else {
        merged.append(stall)
      }
    }
    var result = Quantiles()
    for span in spans {
      var left = span.upperBound - span.lowerBound
      for stall in merged where stall.overlaps(span) {
        let common = stall.clamped(to: span)
        left -= common.upperBound - common.lowerBound
      }
      result.add(left.inMilliseconds)
    }
    return result
  }

  /// For people.
  var text: String {
    var table = TextTable(
      "in flight", "answers", "wrong", "degraded", "stalls", "p50", "p99", "worst",
      "unexplained", "undisturbed")
    for row in rows {
      table.add(
        "\(row.inFlight)", "\(row.answers)", "\(row.wrong)", "\(row.degraded)", "\(row.stalls)",
        row.latency.p50.formatted(1), row.latency.p99.formatted(1),
        row.latency.worst.formatted(1), row.unexplained.p99.formatted(1),
        row.calm.p99.formatted(1))
    }
    return """
      \(model), \(method), \(devices) devices, deadline \(deadline), replicas \(replicas), seed \(seed)
      each stops for \(shortest.formatted(0)) to \(longest.formatted(0)) ms; latency in ms, the last two p99

      \(table.text)
      """
  }
}
