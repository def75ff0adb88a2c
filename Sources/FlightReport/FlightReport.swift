/// What a deployment's topics say about energy, memory, accuracy and speed: the report as data.
///
/// This is the schema of `martlet report --json`; names carry their units. `version` grows when a
/// member changes its meaning or goes; new members may come without that. A member that would rest on
/// nothing is absent.
public struct FlightReport: Codable, Sendable, Equatable {
  /// The version of the schema that this program writes and reads.
  public static let currentVersion = 1

  /// Always `martlet-report`.
  public var format: String
  /// The version of the schema.
  public var version: Int
  /// The deployment.
  public var deployment: String
  /// When the first message was received, in milliseconds since 1970.
  public var startUnixMilliseconds: UInt64
  /// Seconds from the first to the last message.
  public var seconds: Double
  /// The name of the model, as the devices give it.
  public var model: String?
  /// The partitioning method, as the devices give it, for people.
  public var method: String?
  /// The method's name alone, as the devices give it.
  public var methodName: String?
  /// The plan's id, as the devices give it.
  public var plan: String?
  /// The largest figures of any device, as in Table 2 of the RobustDiCE paper.
  public var maximum: Maximum
  /// One for each run of a client, in the order in which they began.
  public var runs: [Run]
  /// One for each device, by name.
  public var devices: [Device]
  /// What was read.
  public var input: Input
  /// What should be known before the figures are used.
  public var notes: [String]

  enum CodingKeys: String, CodingKey {
    case format, version, deployment
    case startUnixMilliseconds = "start_unix_ms"
    case seconds, model, method
    case methodName = "method_name"
    case plan, maximum, runs, devices, input, notes
  }
}

extension FlightReport {
  /// The columns of the paper's Table 2.
  public struct Maximum: Codable, Sendable, Equatable {
    /// Energy per image of the device that needs most.
    public var joulesPerImage: Double?
    /// Whether any of the energy is an estimate.
    public var isEnergyEstimated: Bool
    /// Frames per second over all runs.
    public var framesPerSecond: Double?
    /// Peak resident memory of the device that needs most.
    public var peakMemoryBytes: Int?
    /// Weights on the device that holds most.
    public var weightBytes: Int?

    enum CodingKeys: String, CodingKey {
      case joulesPerImage = "joules_per_image"
      case isEnergyEstimated = "energy_is_estimated"
      case framesPerSecond = "frames_per_second"
      case peakMemoryBytes = "peak_memory_bytes"
      case weightBytes = "weight_bytes"
    }
  }

  /// One run of a client.
  public struct Run: Codable, Sendable, Equatable {
    /// The client's id.
    public var client: String
    /// The run's number.
    public var epoch: UInt64
    /// The plan's id.
    public var plan: String?
    /// When its first frame was sent, in seconds from the report's start.
    public var startSeconds: Double
    /// Everything together.
    public var total: Phase
    /// One for each set of devices that frames were sent to, in the order in which they first came.
    public var phases: [Phase]
    /// Which phase was when.
    public var stretches: [Stretch]
    /// Numbers of its results.
    public var sequence: Sequence

    enum CodingKeys: String, CodingKey {
      case client, epoch, plan
      case startSeconds = "start_s"
      case total, phases, stretches, sequence
    }
  }

  /// Some time in one phase.
  public struct Stretch: Codable, Sendable, Equatable {
    /// The number of the phase in the run's `phases`.
    public var phase: Int
    /// From, in seconds from the report's start.
    public var startSeconds: Double
    /// To.
    public var endSeconds: Double
    /// Answers.
    public var frames: Int

    enum CodingKeys: String, CodingKey {
      case phase
      case startSeconds = "start_s"
      case endSeconds = "end_s"
      case frames
    }
  }

  /// Answers while the same devices were counted on, or all answers of a run.
  public struct Phase: Codable, Sendable, Equatable {
    /// The devices that were counted on; absent in a total and when the client does not say.
    public var alive: [String]?
    /// How long, added up over all stretches.
    public var seconds: Double
    /// Answers.
    public var frames: Int
    /// Answers per second.
    public var framesPerSecond: Double?
    /// Of the answers whose right class is known, those that name it.
    public var top1: Proportion?
    /// The same for the first five classes.
    public var top5: Proportion?
    /// From sending a frame to its answer.
    public var latency: Latency?
    /// Answers from which something was missing.
    public var degradedFrames: Int
    /// Parts that were missing, by reason.
    public var fills: [String: Int]
    /// Parts that were missing, by device.
    public var filledDevices: [String: Int]
    /// Neurons that were missing, over all layers and answers.
    public var filledNeurons: Int
    /// What the devices' metrics say of intervals that lie wholly within the phase.
    public var devices: [DeviceFigures]
    /// The stages of each of these devices, by name: as the same devices were counted on all the time,
    /// all frames have gone through the same stages, and what these took adds up to a frame.
    public var stages: [String: [Stage]]?
    /// What the figures rest on, where that is little.
    public var notes: [String]

    enum CodingKeys: String, CodingKey {
      case alive, seconds, frames
      case framesPerSecond = "frames_per_second"
      case top1, top5, latency
      case degradedFrames = "degraded_frames"
      case fills
      case filledDevices = "fills_by_device"
      case filledNeurons = "filled_neurons"
      case devices, notes
      case stages = "stages_by_device"
    }
  }

  /// A proportion with its 95 % interval (Wilson 1927).
  public struct Proportion: Codable, Sendable, Equatable {
    /// How many.
    public var correct: Int
    /// Of how many.
    public var of: Int
    /// Their ratio.
    public var accuracy: Double
    /// The interval's lower end.
    public var low: Double
    /// The interval's upper end.
    public var high: Double
  }

  /// Latencies in milliseconds; quantiles are right to within 1 %.
  public struct Latency: Codable, Sendable, Equatable {
    /// The mean.
    public var mean: Double
    /// The median.
    public var p50: Double
    /// What nine in ten do not exceed.
    public var p90: Double
    /// What ninety-nine in a hundred do not exceed.
    public var p99: Double
    /// The largest.
    public var maximum: Double
    /// For charts: what each tenth, then 95, 98, 99, 99.9 and 100 % do not exceed.
    public var quantiles: [Quantile]

    /// A fraction of the frames and what they do not exceed.
    public struct Quantile: Codable, Sendable, Equatable {
      /// The fraction.
      public var fraction: Double
      /// Milliseconds.
      public var milliseconds: Double

      enum CodingKeys: String, CodingKey {
        case fraction
        case milliseconds = "ms"
      }
    }

    enum CodingKeys: String, CodingKey {
      case mean = "mean_ms"
      case p50 = "p50_ms"
      case p90 = "p90_ms"
      case p99 = "p99_ms"
      case maximum = "max_ms"
      case quantiles
    }
  }

  /// How complete numbered messages are.
  public struct Sequence: Codable, Sendable, Equatable {
    /// Messages used.
    public var received: Int
    /// Numbers between the first and the last that never came.
    public var missing: Int
    /// Messages that came twice and were used once.
    public var repeated: Int
    /// Messages that came after a later one; they are used.
    public var reordered: Int
    /// Messages with numbers that cannot be right; they are not used.
    public var implausible: Int
  }

  /// What was read.
  public struct Input: Codable, Sendable, Equatable {
    /// Messages.
    public var messages: Int
    /// Bytes of their payloads.
    public var bytes: Int
    /// Tensors among them, which are counted and not looked at.
    public var tensors: Int
    /// Messages of other topics.
    public var foreign: Int
    /// Messages that could not be read, by kind.
    public var unreadable: [String: Int]
    /// Messages beyond what a report keeps apart (devices, runs, epochs, phases).
    public var beyondLimits: Int
    /// Where a recording is damaged.
    public var damage: [String]

    enum CodingKeys: String, CodingKey {
      case messages, bytes, tensors, foreign, unreadable
      case beyondLimits = "beyond_limits"
      case damage
    }
  }
}
