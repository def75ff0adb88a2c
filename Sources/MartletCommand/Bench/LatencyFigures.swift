import Foundations

/// What a report says of latencies, in milliseconds; zeros without any.
struct LatencyFigures: Encodable {
  var p50 = 0.0
  var p99 = 0.0
  var worst = 0.0

  init() {}

  init(_ latency: Quantiles) {
    p50 = latency.p50 ?? 0
    p99 = latency.p99 ?? 0
    worst = latency.quantile(1) ?? 0
  }

  private enum CodingKeys: String, CodingKey {
    case p50 = "p50_ms"
    case p99 = "p99_ms"
    case worst = "worst_ms"
  }
}
