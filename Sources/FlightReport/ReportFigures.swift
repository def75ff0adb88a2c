// The figures of answers and of all devices together, one line each. Those of devices and stages stand
// with their sums: one file for each kind of metric, such as `SystemFigures.swift`.

extension Figure where Subject == FlightReport.Maximum {
  /// The largest of any device, as in Table 2 of the RobustDiCE paper.
  package static var all: [Figure] {
    [
      Figure(
        "max_joules_per_image", .joules, "joules_per_image",
        column: .init(.maximum, "energy J/image", .decimals(4)) { $0.isEnergyEstimated ? "~" : "" }
      ) { $0.joulesPerImage },
      Figure(
        "frames_per_second", .perSecond, "frames_per_second", column: .init(.maximum, "frames/s")
      ) { $0.framesPerSecond },
      Figure(
        "max_peak_memory", .bytes, "peak_memory_bytes",
        column: .init(.maximum, "peak memory", .bytes)
      ) { $0.peakMemoryBytes.map(Double.init) },
      Figure("max_weights", .bytes, "weight_bytes", column: .init(.maximum, "weights", .bytes)) {
        $0.weightBytes.map(Double.init)
      },
    ]
  }
}

extension Figure where Subject == FlightReport.Phase {
  /// Of the answers of a run, or of one phase of it.
  package static var all: [Figure] {
    [
      Figure("seconds", .seconds, "seconds") { $0.seconds },
      Figure(
        "frames", .one, "frames", column: .init(.phases, "frames", .count),
        export: .counter("answers", "Answers of a client.")
      ) { Double($0.frames) },
      Figure(
        "top1", .one, "top1.accuracy", column: .init(.phases, "top-1", .percent),
        interval: { $0.top1.map { ($0.low, $0.high) } }
      ) { $0.top1?.accuracy },
      Figure(
        "top5", .one, "top5.accuracy", column: .init(.phases, "top-5", .percent),
        interval: { $0.top5.map { ($0.low, $0.high) } }
      ) { $0.top5?.accuracy },
      Figure(
        "labelled_frames", .one, "top1.of",
        export: .counter("answers_labelled", "Answers whose right class is known.")
      ) { ($0.top1?.of).map(Double.init) },
      Figure(
        "correct_frames", .one, "top1.correct",
        export: .counter("answers_correct", "Answers that name the right class.")
      ) { ($0.top1?.correct).map(Double.init) },
      Figure(
        "frames_per_second", .perSecond, "frames_per_second", column: .init(.phases, "frames/s")
      ) { $0.framesPerSecond },
      Figure("latency_mean", .milliseconds, "latency.mean_ms") { $0.latency?.mean },
      Figure("latency_p50", .milliseconds, "latency.p50_ms", column: .init(.phases, "p50 ms")) {
        $0.latency?.p50
      },
      Figure("latency_p90", .milliseconds, "latency.p90_ms", column: .init(.phases, "p90 ms")) {
        $0.latency?.p90
      },
      Figure("latency_p99", .milliseconds, "latency.p99_ms", column: .init(.phases, "p99 ms")) {
        $0.latency?.p99
      },
      Figure("latency_max", .milliseconds, "latency.max_ms", column: .init(.phases, "max ms")) {
        $0.latency?.maximum
      },
      Figure(
        "degraded_frames", .one, "degraded_frames", column: .init(.phases, "degraded", .count),
        export: .counter("answers_degraded", "Answers with something missing.")
      ) { Double($0.degradedFrames) },
    ]
  }
}
