extension FlightReport {
  /// One device.
  package struct Device: Codable, Sendable, Equatable {
    /// Its name.
    package var name: String
    /// Its architecture and operating system, where it said so.
    package var hardware: String?
    /// All its runs together.
    package var figures: DeviceFigures
    /// Each run of the device by itself.
    package var epochs: [Epoch]
    /// Stages in the order of the plan.
    package var stages: [Stage]
    /// Its presence over time.
    package var presence: [Presence]
  }

  /// One run of a device.
  package struct Epoch: Codable, Sendable, Equatable {
    /// The run's number.
    package var epoch: UInt64
    /// What it came to.
    package var figures: DeviceFigures
    /// The numbers of its messages, by kind of metric.
    package var sequences: [String: Sequence]
  }

  /// From when on a device was in a state.
  package struct Presence: Codable, Sendable, Equatable {
    /// `starting`, `ready`, `draining`, `offline`, `lost`, or `silent` when no heartbeat came for
    /// three beats.
    package var state: String
    /// From, in seconds from the report's start; before it for what was there already.
    package var startSeconds: Double
    /// To.
    package var endSeconds: Double

    enum CodingKeys: String, CodingKey {
      case state
      case startSeconds = "start_s"
      case endSeconds = "end_s"
    }
  }

  /// What a device's metrics come to.
  package struct DeviceFigures: Codable, Sendable, Equatable {
    /// The device.
    package var device: String
    /// Length of all intervals.
    package var seconds: Double
    /// Frames computed.
    package var frames: UInt64
    /// Frames from which a part was missing on this device.
    package var degradedFrames: UInt64
    /// Frames dropped whole.
    package var droppedFrames: UInt64
    /// Energy.
    package var energy: Energy?
    /// Memory.
    package var memory: Memory?
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
    /// CPU time as a share of one core.
    package var cpuShare: Double?
    /// The highest temperature.
    package var maximumCelsius: Double?
    /// The lowest clock.
    package var minimumMegahertz: Double?

    enum CodingKeys: String, CodingKey {
      case device, seconds, frames
      case degradedFrames = "degraded_frames"
      case droppedFrames = "dropped_frames"
      case energy, memory
      case bytesOutPerImage = "bytes_out_per_image"
      case bytesInPerImage = "bytes_in_per_image"
      case shares, fills, drops
      case cpuShare = "cpu_share"
      case maximumCelsius = "max_temperature_celsius"
      case minimumMegahertz = "min_clock_mhz"
    }
  }

  /// Energy of one device.
  package struct Energy: Codable, Sendable, Equatable {
    /// The sum over all intervals.
    package var joules: Double
    /// Of the intervals with frames in them: joules by frames.
    package var joulesPerImage: Double?
    /// Of the intervals with frames in them: joules by seconds.
    package var activeWatts: Double?
    /// The largest mean power of an interval.
    package var maximumWatts: Double
    /// Where the figures come from; `estimate` is no measurement.
    package var sources: [String]
    /// Intervals.
    package var intervals: Int
    /// Readings that failed; what they missed is not counted.
    package var failedReadings: UInt64

    /// Whether any of it is an estimate.
    package var isEstimated: Bool { sources.contains("estimate") }

    enum CodingKeys: String, CodingKey {
      case joules
      case joulesPerImage = "joules_per_image"
      case activeWatts = "active_watts"
      case maximumWatts = "max_watts"
      case sources, intervals
      case failedReadings = "failed_readings"
    }
  }

  /// Memory of one device in bytes.
  package struct Memory: Codable, Sendable, Equatable {
    /// The most resident memory of the worker since it began, as the kernel counts it.
    package var peak: Int
    /// The most resident memory at the end of an interval.
    package var maximum: Int
    /// Weights.
    package var weights: Int
    /// Working memory of one frame.
    package var arena: Int
    /// The most that waited in queues.
    package var queue: Int

    enum CodingKeys: String, CodingKey {
      case peak = "peak_resident_bytes"
      case maximum = "max_resident_bytes"
      case weights = "weight_bytes"
      case arena = "arena_bytes"
      case queue = "max_queue_bytes"
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
