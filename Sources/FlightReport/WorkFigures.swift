import WireProtocol

// From `FrameMetric` to a report: sums, the members of the JSON report, the lists of figures. Its
// stages are in `StageFigures.swift`.

/// What metrics of a device's frames add up to.
struct WorkTotals: Sendable, Equatable {
  /// Times, bytes and counts; `sequence` and `epoch` mean nothing here, and it has no stages.
  private var sum = FrameMetric(epoch: 0, sequence: 0, intervalMilliseconds: 0)

  mutating func add(_ metric: FrameMetric) {
    sum.intervalMilliseconds += metric.intervalMilliseconds
    sum.frames.saturate(adding: metric.frames)
    sum.framesDegraded.saturate(adding: metric.framesDegraded)
    sum.framesDropped.saturate(adding: metric.framesDropped)
    sum.computeMilliseconds += metric.computeMilliseconds
    sum.waitMilliseconds += metric.waitMilliseconds
    sum.sendMilliseconds += metric.sendMilliseconds
    sum.receiveMilliseconds += metric.receiveMilliseconds
    sum.sentBytes.saturate(adding: metric.sentBytes)
    sum.receivedBytes.saturate(adding: metric.receivedBytes)
    sum.fills.saturate(adding: metric.fills)
    sum.drops.saturate(adding: metric.drops)
  }

  /// Adds what other messages of the device came to.
  mutating func merge(_ other: WorkTotals) { add(other.sum) }

  var counts: FlightReport.Counts {
    FlightReport.Counts(
      seconds: sum.intervalMilliseconds / 1e3, frames: sum.frames,
      degradedFrames: sum.framesDegraded, droppedFrames: sum.framesDropped)
  }

  var figures: FlightReport.Work {
    let frames = Double(sum.frames)
    let communication = sum.sendMilliseconds + sum.receiveMilliseconds
    let time = sum.computeMilliseconds + sum.waitMilliseconds + communication
    return FlightReport.Work(
      bytesOutPerImage: frames > 0 ? Double(sum.sentBytes) / frames : nil,
      bytesInPerImage: frames > 0 ? Double(sum.receivedBytes) / frames : nil,
      shares: time > 0 && frames > 0
        ? FlightReport.Shares(
          computing: sum.computeMilliseconds / time, waiting: sum.waitMilliseconds / time,
          communicating: communication / time) : nil,
      fills: sum.fills, drops: sum.drops)
  }
}

extension FlightReport {
  /// The frames of one device; members of the device's figures in JSON.
  package struct Counts: Codable, Sendable, Equatable {
    /// Length of all intervals.
    package var seconds: Double
    /// Frames computed.
    package var frames: UInt64
    /// Frames from which a part was missing on this device.
    package var degradedFrames: UInt64
    /// Frames dropped whole.
    package var droppedFrames: UInt64

    enum CodingKeys: String, CodingKey {
      case seconds, frames
      case degradedFrames = "degraded_frames"
      case droppedFrames = "dropped_frames"
    }
  }

  /// What one device does for its frames; members of the device's figures in JSON.
  package struct Work: Codable, Sendable, Equatable {
    /// Bytes of parts published per frame.
    package var bytesOutPerImage: Double?
    /// Bytes of inputs and parts received per frame.
    package var bytesInPerImage: Double?
    /// Where the frames' time goes.
    package var shares: Shares?
    /// Parts filled, by reason.
    package var fills: [String: UInt64]
    /// Messages not used, by reason.
    package var drops: [String: UInt64]

    enum CodingKeys: String, CodingKey {
      case bytesOutPerImage = "bytes_out_per_image"
      case bytesInPerImage = "bytes_in_per_image"
      case shares, fills, drops
    }
  }

  /// Shares of the time that frames take on a device; they add up to 1.
  package struct Shares: Codable, Sendable, Equatable {
    /// Computing.
    package var computing: Double
    /// Waiting for others' parts.
    package var waiting: Double
    /// Sending and receiving.
    package var communicating: Double
  }
}

extension Figure where Subject == FlightReport.DeviceFigures {
  /// How many frames a device computed.
  static var counts: [Figure] {
    [
      Figure(
        "frames", .one, "frames", column: .init(.work, "frames", .count),
        export: .counter("frames", "Frames computed.")
      ) { Double($0.counts.frames) },
      Figure(
        "dropped_frames", .one, "dropped_frames",
        export: .counter("frames_dropped", "Frames dropped whole.")
      ) { Double($0.counts.droppedFrames) },
    ]
  }

  /// What a device does for a frame.
  static var work: [Figure] {
    [
      Figure(
        "bytes_out_per_image", .bytes, "bytes_out_per_image",
        column: .init(.work, "out/image", .bytes)
      ) { $0.work.bytesOutPerImage },
      Figure(
        "bytes_in_per_image", .bytes, "bytes_in_per_image", column: .init(.work, "in/image", .bytes)
      ) { $0.work.bytesInPerImage },
      Figure("share_computing", .one, "shares.computing") { $0.work.shares?.computing },
      Figure("share_waiting", .one, "shares.waiting") { $0.work.shares?.waiting },
      Figure("share_communicating", .one, "shares.communicating") { $0.work.shares?.communicating },
      Figure(
        "degraded_frames", .one, "degraded_frames", column: .init(.work, "degraded", .count)
      ) { Double($0.counts.degradedFrames) },
    ]
  }
}
