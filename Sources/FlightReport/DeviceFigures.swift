extension FlightReport {
  /// One device.
  public struct Device: Codable, Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Its architecture and operating system, where it said so.
    public var hardware: String?
    /// All its runs together.
    public var figures: DeviceFigures
    /// Each run of the device by itself.
    public var epochs: [Epoch]
    /// Stages in the order of the plan.
    public var stages: [Stage]
    /// Its presence over time.
    public var presence: [Presence]
  }

  /// One run of a device.
  public struct Epoch: Codable, Sendable, Equatable {
    /// The run's number.
    public var epoch: UInt64
    /// What it came to.
    public var figures: DeviceFigures
    /// The numbers of its messages, by kind of metric.
    public var sequences: [String: Sequence]
  }

  /// From when on a device was in a state.
  public struct Presence: Codable, Sendable, Equatable {
    /// `starting`, `ready`, `draining`, `offline`, `lost`, or `silent` when no heartbeat came for
    /// three beats.
    public var state: String
    /// From, in seconds from the report's start; before it for what was there already.
    public var startSeconds: Double
    /// To.
    public var endSeconds: Double

    enum CodingKeys: String, CodingKey {
      case state
      case startSeconds = "start_s"
      case endSeconds = "end_s"
    }
  }

  /// What a device's metrics come to.
  public struct DeviceFigures: Codable, Sendable, Equatable {
    /// The device.
    public var device: String
    /// Length of all intervals.
    public var seconds: Double
    /// Frames computed.
    public var frames: UInt64
    /// Frames from which a part was missing on this device.
    public var degradedFrames: UInt64
    /// Frames dropped whole.
    public var droppedFrames: UInt64
    /// Energy.
    public var energy: Energy?
    /// Memory.
    public var memory: Memory?
    /// Bytes of parts published per frame.
    public var bytesOutPerImage: Double?
    /// Bytes of inputs and parts received per frame.
    public var bytesInPerImage: Double?
    /// Where the frames' time goes.
    public var shares: Shares?
    /// Parts filled, by reason.
    public var fills: [String: UInt64]
    /// Messages not used, by reason.
    public var drops: [String: UInt64]
    /// CPU time as a share of one core.
    public var cpuShare: Double?
    /// The highest temperature.
    public var maximumCelsius: Double?
    /// The lowest clock.
    public var minimumMegahertz: Double?

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
  public struct Energy: Codable, Sendable, Equatable {
    /// The sum over all intervals.
    public var joules: Double
    /// Of the intervals with frames in them: joules by frames.
    public var joulesPerImage: Double?
    /// Of the intervals with frames in them: joules by seconds.
    public var activeWatts: Double?
    /// The largest mean power of an interval.
    public var maximumWatts: Double
    /// Where the figures come from; `estimate` is no measurement.
    public var sources: [String]
    /// Intervals.
    public var intervals: Int
    /// Readings that failed; what they missed is not counted.
    public var failedReadings: UInt64

    /// Whether any of it is an estimate.
    public var isEstimated: Bool { sources.contains("estimate") }

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
  public struct Memory: Codable, Sendable, Equatable {
    /// The most resident memory of the worker since it began, as the kernel counts it.
    public var peak: Int
    /// The most resident memory at the end of an interval.
    public var maximum: Int
    /// Weights.
    public var weights: Int
    /// Working memory of one frame.
    public var arena: Int
    /// The most that waited in queues.
    public var queue: Int

    enum CodingKeys: String, CodingKey {
      case peak = "peak_resident_bytes"
      case maximum = "max_resident_bytes"
      case weights = "weight_bytes"
      case arena = "arena_bytes"
      case queue = "max_queue_bytes"
    }
  }

  /// Shares of the time that frames take on a device; they add up to 1.
  public struct Shares: Codable, Sendable, Equatable {
    /// Computing.
    public var computing: Double
    /// Waiting for others' parts.
    public var waiting: Double
    /// Sending and receiving.
    public var communicating: Double
  }

  /// One stage on one device: means per frame.
  public struct Stage: Codable, Sendable, Equatable {
    /// The layer that is exchanged at its end.
    public var layer: String
    /// Frames from which nothing was missing.
    public var whole: Times?
    /// Frames from which something was missing.
    public var degraded: Times?
    /// Time spent receiving others' parts, per frame.
    public var receiveMilliseconds: Double
    /// Bytes sent per frame.
    public var bytesOut: Double
    /// Bytes received per frame.
    public var bytesIn: Double
    /// Parts filled, by reason.
    public var fills: [String: UInt64]

    enum CodingKeys: String, CodingKey {
      case layer, whole, degraded
      case receiveMilliseconds = "receive_ms"
      case bytesOut = "bytes_out"
      case bytesIn = "bytes_in"
      case fills
    }
  }

  /// Mean times of a stage in milliseconds.
  public struct Times: Codable, Sendable, Equatable {
    /// How many frames they are means of.
    public var frames: UInt64
    /// Computing.
    public var compute: Double
    /// Encoding and publishing the device's own part.
    public var send: Double
    /// Waiting for the last part that was waited for.
    public var wait: Double

    /// Milliseconds in all.
    public var total: Double { compute + send + wait }

    enum CodingKeys: String, CodingKey {
      case frames
      case compute = "compute_ms"
      case send = "send_ms"
      case wait = "wait_ms"
    }
  }
}
