// The figures of a report, one line each.

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

extension Figure where Subject == FlightReport.DeviceFigures {
  /// Of a device.
  package static var all: [Figure] {
    [
      Figure(
        "frames", .one, "frames", column: .init(.work, "frames", .count),
        export: .counter("frames", "Frames computed.")
      ) { Double($0.frames) },
      Figure(
        "dropped_frames", .one, "dropped_frames",
        export: .counter("frames_dropped", "Frames dropped whole.")
      ) { Double($0.droppedFrames) },
      Figure(
        "energy", .joules, "energy.joules", column: .init(.resources, "joules"),
        export: .counter(
          "energy_joules",
          "Energy that devices said they used; the source estimate is no measurement.",
          labels: { ["source": $0.energy?.sources.joined(separator: "+") ?? ""] })
      ) { $0.energy?.joules },
      Figure("energy_is_estimated", .one, nil) {
        $0.energy.map { $0.isEstimated ? 1 : 0 }
      },
      Figure(
        "energy_per_image", .joules, "energy.joules_per_image",
        column: .init(.work, "mJ/image", .thousandths) {
          $0.energy?.isEstimated == true ? "~" : ""
        },
        export: .gauge("energy_joules_per_image", "Energy for one frame.")
      ) { $0.energy?.joulesPerImage },
      Figure(
        "power", .watts, "energy.active_watts", column: .init(.work, "watts"),
        export: .gauge("power_watts", "Mean power while there are frames.")
      ) { $0.energy?.activeWatts },
      Figure("max_power", .watts, "energy.max_watts", column: .init(.resources, "max W")) {
        $0.energy?.maximumWatts
      },
      Figure(
        "peak_resident", .bytes, "memory.peak_resident_bytes",
        column: .init(.resources, "peak", .bytes),
        export: .gauge("resident_memory_peak_bytes", "Peak resident memory.")
      ) { ($0.memory?.peak).map(Double.init) },
      Figure(
        "max_resident", .bytes, "memory.max_resident_bytes",
        column: .init(.work, "resident", .bytes)
      ) { ($0.memory?.maximum).map(Double.init) },
      Figure(
        "weights", .bytes, "memory.weight_bytes", column: .init(.resources, "weights", .bytes),
        export: .gauge("weights_bytes", "Weights held.")
      ) { ($0.memory?.weights).map(Double.init) },
      Figure("arena", .bytes, "memory.arena_bytes", column: .init(.resources, "arena", .bytes)) {
        ($0.memory?.arena).map(Double.init)
      },
      Figure(
        "max_queue", .bytes, "memory.max_queue_bytes", column: .init(.resources, "queue", .bytes)
      ) {
        ($0.memory?.queue).map(Double.init)
      },
      Figure(
        "bytes_out_per_image", .bytes, "bytes_out_per_image",
        column: .init(.work, "out/image", .bytes)
      ) { $0.bytesOutPerImage },
      Figure(
        "bytes_in_per_image", .bytes, "bytes_in_per_image", column: .init(.work, "in/image", .bytes)
      ) { $0.bytesInPerImage },
      Figure("share_computing", .one, "shares.computing") { $0.shares?.computing },
      Figure("share_waiting", .one, "shares.waiting") { $0.shares?.waiting },
      Figure("share_communicating", .one, "shares.communicating") { $0.shares?.communicating },
      Figure(
        "degraded_frames", .one, "degraded_frames", column: .init(.work, "degraded", .count)
      ) { Double($0.degradedFrames) },
      Figure("cpu_share", .one, "cpu_share", column: .init(.resources, "CPU %", .percent)) {
        $0.cpuShare
      },
      Figure(
        "max_temperature", .celsius, "max_temperature_celsius", column: .init(.resources, "C")
      ) { $0.maximumCelsius },
      Figure("min_clock", .megahertz, "min_clock_mhz", column: .init(.resources, "MHz", .count)) {
        $0.minimumMegahertz
      },
    ]
  }
}

extension Figure where Subject == FlightReport.Stage {
  /// Of a stage on a device.
  package static var all: [Figure] {
    [
      Figure("whole_compute", .milliseconds, "whole.compute_ms") { $0.whole?.compute },
      Figure("whole_send", .milliseconds, "whole.send_ms") { $0.whole?.send },
      Figure("whole_wait", .milliseconds, "whole.wait_ms") { $0.whole?.wait },
      Figure("degraded_compute", .milliseconds, "degraded.compute_ms") { $0.degraded?.compute },
      Figure("degraded_send", .milliseconds, "degraded.send_ms") { $0.degraded?.send },
      Figure("degraded_wait", .milliseconds, "degraded.wait_ms") { $0.degraded?.wait },
      Figure("receive", .milliseconds, "receive_ms") { $0.receiveMilliseconds },
      Figure("bytes_out", .bytes, "bytes_out") { $0.bytesOut },
      Figure("bytes_in", .bytes, "bytes_in") { $0.bytesIn },
    ]
  }
}
