import WireProtocol

// From `StageMetric` to a report: sums, the members of the JSON report, the list of figures.

/// What metrics of a device's stages add up to.
struct StageTotals: Sendable, Equatable {
  /// Sums by layer.
  private var sums: [String: StageMetric] = [:]
  /// Layers in the order in which they first came.
  private var layers: [String] = []

  private static let maximumLayers = 512

  /// Whether no stage came.
  var isEmpty: Bool { layers.isEmpty }

  mutating func add(_ stage: StageMetric) {
    if sums[stage.layer] == nil {
      guard layers.count < StageTotals.maximumLayers else { return }
      layers.append(stage.layer)
    }
    var sum = sums[stage.layer] ?? StageMetric(layer: stage.layer)
    sum.whole = adding(stage.whole, to: sum.whole)
    sum.degraded = adding(stage.degraded, to: sum.degraded)
    sum.receiveMilliseconds += stage.receiveMilliseconds
    sum.sentBytes.saturate(adding: stage.sentBytes)
    sum.receivedBytes.saturate(adding: stage.receivedBytes)
    sum.fills.saturate(adding: stage.fills)
    sums[stage.layer] = sum
  }

  private func adding(_ work: StageMetric.Work?, to sum: StageMetric.Work?) -> StageMetric.Work? {
    guard let work else { return sum }
    guard var sum else { return work }
    sum.frames.saturate(adding: work.frames)
    sum.computeMilliseconds += work.computeMilliseconds
    sum.sendMilliseconds += work.sendMilliseconds
    sum.waitMilliseconds += work.waitMilliseconds
    return sum
  }

  /// Adds what other messages of the device came to.
  mutating func merge(_ other: StageTotals) {
    for layer in other.layers {
      if let sum = other.sums[layer] { add(sum) }
    }
  }

  /// The stages in the order in which the device named them.
  var figures: [FlightReport.Stage] {
    layers.compactMap { sums[$0] }.map { stage in
      let whole = StageTotals.times(stage.whole)
      let degraded = StageTotals.times(stage.degraded)
      let frames = max(1, Double(whole?.frames ?? 0) + Double(degraded?.frames ?? 0))
      return FlightReport.Stage(
        layer: stage.layer, whole: whole, degraded: degraded,
        receiveMilliseconds: stage.receiveMilliseconds / frames,
        bytesOut: Double(stage.sentBytes) / frames, bytesIn: Double(stage.receivedBytes) / frames,
        fills: stage.fills)
    }
  }

  private static func times(_ work: StageMetric.Work?) -> FlightReport.Times? {
    guard let work, work.frames > 0 else { return nil }
    let frames = Double(work.frames)
    return FlightReport.Times(
      frames: work.frames, compute: work.computeMilliseconds / frames,
      send: work.sendMilliseconds / frames, wait: work.waitMilliseconds / frames)
  }
}

extension FlightReport {
  /// One stage on one device: means per frame.
  package struct Stage: Codable, Sendable, Equatable {
    /// The layer that is exchanged at its end.
    package var layer: String
    /// Frames from which nothing was missing.
    package var whole: Times?
    /// Frames from which something was missing.
    package var degraded: Times?
    /// Time spent receiving others' parts, per frame.
    package var receiveMilliseconds: Double
    /// Bytes sent per frame.
    package var bytesOut: Double
    /// Bytes received per frame.
    package var bytesIn: Double
    /// Parts filled, by reason.
    package var fills: [String: UInt64]

    enum CodingKeys: String, CodingKey {
      case layer, whole, degraded
      case receiveMilliseconds = "receive_ms"
      case bytesOut = "bytes_out"
      case bytesIn = "bytes_in"
      case fills
    }
  }

  /// Mean times of a stage in milliseconds.
  package struct Times: Codable, Sendable, Equatable {
    /// How many frames they are means of.
    package var frames: UInt64
    /// Computing.
    package var compute: Double
    /// Encoding and publishing the device's own part.
    package var send: Double
    /// Waiting for the last part that was waited for.
    package var wait: Double

    /// Milliseconds in all.
    package var total: Double { compute + send + wait }

    enum CodingKeys: String, CodingKey {
      case frames
      case compute = "compute_ms"
      case send = "send_ms"
      case wait = "wait_ms"
    }
  }
}

extension Figure where Subject == FlightReport.Stage {
  /// Of a stage on a device.
  package static var all: [Figure] {
    [
      Figure(
        "whole_compute", .milliseconds, "whole.compute_ms",
        column: .init(.stages, "compute", .decimals(3), over: .meanAndMaximum)
      ) { $0.whole?.compute },
      Figure(
        "whole_send", .milliseconds, "whole.send_ms",
        column: .init(.stages, "send", .decimals(3), over: .meanAndMaximum)
      ) { $0.whole?.send },
      Figure(
        "whole_wait", .milliseconds, "whole.wait_ms",
        column: .init(.stages, "wait", .decimals(3), over: .meanAndMaximum)
      ) { $0.whole?.wait },
      Figure("degraded_compute", .milliseconds, "degraded.compute_ms") { $0.degraded?.compute },
      Figure("degraded_send", .milliseconds, "degraded.send_ms") { $0.degraded?.send },
      Figure(
        "degraded_wait", .milliseconds, "degraded.wait_ms",
        column: .init(.degradedStages, "degraded wait", .decimals(3), over: .meanAndMaximum)
      ) { $0.degraded?.wait },
      Figure(
        "receive", .milliseconds, "receive_ms",
        column: .init(.stages, "receive", .decimals(3), over: .meanAndMaximum)
      ) { $0.receiveMilliseconds },
      Figure("bytes_out", .bytes, "bytes_out", column: .init(.stages, "out", .bytes)) {
        $0.bytesOut
      },
      Figure("bytes_in", .bytes, "bytes_in", column: .init(.stages, "in", .bytes)) { $0.bytesIn },
    ]
  }
}
