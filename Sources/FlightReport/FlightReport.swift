/// What a deployment's topics say about energy, memory, accuracy and speed: the report as data.
///
/// This is the schema of `martlet report --json`; names carry their units. `version` grows when a
/// member changes its meaning or goes; new members may come without that. A member that would rest on
/// nothing is absent.
package struct FlightReport: Codable, Sendable, Equatable {
  /// The version of the schema that this program writes and reads.
  package static let currentVersion = 1

  /// Always `martlet-report`.
  package var format: String
  /// The version of the schema.
  package var version: Int
  /// The deployment.
  package var deployment: String
  /// When the first message was received, in milliseconds since 1970.
  package var startUnixMilliseconds: UInt64
  /// Seconds from the first to the last message.
  package var seconds: Double
  /// The name of the model, as the devices give it.
  package var model: String?
  /// The partitioning method, as the devices give it, for people.
  package var method: String?
  /// The method's name alone, as the devices give it.
  package var methodName: String?
  /// The plan's id, as the devices give it.
  package var plan: String?
  /// The largest figures of any device, as in Table 2 of the RobustDiCE paper.
  package var maximum: Maximum
  /// One for each run of a client, in the order in which they began.
  package var runs: [Run]
  /// One for each device, by name.
  package var devices: [Device]
  /// What was read.
  package var input: Input
  /// What should be known before the figures are used.
  package var notes: [String]

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
  package struct Maximum: Codable, Sendable, Equatable {
    /// Energy per image of the device that needs most.
    package var joulesPerImage: Double?
    /// Whether any of the energy is an estimate.
    package var isEnergyEstimated: Bool
    /// Frames per second over all runs.
    package var framesPerSecond: Double?
    /// Peak resident memory of the device that needs most.
    package var peakMemoryBytes: Int?
    /// Weights on the device that holds most.
    package var weightBytes: Int?

    enum CodingKeys: String, CodingKey {
      case joulesPerImage = "joules_per_image"
      case isEnergyEstimated = "energy_is_estimated"
      case framesPerSecond = "frames_per_second"
      case peakMemoryBytes = "peak_memory_bytes"
      case weightBytes = "weight_bytes"
    }
  }

  /// One run of a client.
  package struct Run: Codable, Sendable, Equatable {
    /// The client's id.
    package var client: String
    /// The run's number.
    package var epoch: UInt64
    /// The plan's id.
    package var plan: String?
    /// When its first frame was sent, in seconds from the report's start.
    package var startSeconds: Double
    /// Everything together.
    package var total: Phase
    /// One for each set of devices that frames were sent to, in the order in which they first came.
    package var phases: [Phase]
    /// Which phase was when.
    package var stretches: [Stretch]
    /// Numbers of its results.
    package var sequence: Sequence

    enum CodingKeys: String, CodingKey {
      case client, epoch, plan
      case startSeconds = "start_s"
      case total, phases, stretches, sequence
    }
  }

  /// Some time in one phase.
  package struct Stretch: Codable, Sendable, Equatable {
    /// The number of the phase in the run's `phases`.
    package var phase: Int
    /// From, in seconds from the report's start.
    package var startSeconds: Double
    /// To.
    package var endSeconds: Double
    /// Answers.
    package var frames: Int

    enum CodingKeys: String, CodingKey {
      case phase
      case startSeconds = "start_s"
      case endSeconds = "end_s"
      case frames
    }
  }

  /// Answers while the same devices were counted on, or all answers of a run.
  package struct Phase: Codable, Sendable, Equatable {
    /// The devices that were counted on; absent in a total and when the client does not say.
    package var alive: [String]?
    /// How long, added up over all stretches.
    package var seconds: Double
    /// Answers.
    package var frames: Int
    /// Answers per second.
    package var framesPerSecond: Double?
    /// Of the answers whose right class is known, those that name it.
    package var top1: Proportion?
    /// The same for the first five classes.
    package var top5: Proportion?
    /// From sending a frame to its answer.
    package var latency: Latency?
    /// Answers from which something was missing.
    package var degradedFrames: Int
    /// Parts that were missing, by reason.
    package var fills: [String: Int]
    /// Parts that were missing, by device.
    package var filledDevices: [String: Int]
    /// Neurons that were missing, over all layers and answers.
    package var filledNeurons: Int
    /// What the devices' metrics say of intervals that lie wholly within the phase.
    package var devices: [DeviceFigures]
    /// The stages of each of these devices, by name: as the same devices were counted on all the time,
    /// all frames have gone through the same stages, and what these took adds up to a frame.
    package var stages: [String: [Stage]]?
    /// What the figures rest on, where that is little.
    package var notes: [String]

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
  package struct Proportion: Codable, Sendable, Equatable {
    /// How many.
    package var correct: Int
    /// Of how many.
    package var of: Int
    /// Their ratio.
    package var accuracy: Double
    /// The interval's lower end.
    package var low: Double
    /// The interval's upper end.
    package var high: Double
  }

  /// Latencies in milliseconds; quantiles are right to within 1 %.
  package struct Latency: Codable, Sendable, Equatable {
    /// The mean.
    package var mean: Double
    /// The median.
    package var p50: Double
    /// What nine in ten do not exceed.
    package var p90: Double
    /// What ninety-nine in a hundred do not exceed.
    package var p99: Double
    /// The largest.
    package var maximum: Double
    /// For charts: what each tenth, then 95, 98, 99, 99.9 and 100 % do not exceed.
    package var quantiles: [Quantile]

    /// A fraction of the frames and what they do not exceed.
    package struct Quantile: Codable, Sendable, Equatable {
      /// The fraction.
      package var fraction: Double
      /// Milliseconds.
      package var milliseconds: Double

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
  package struct Sequence: Codable, Sendable, Equatable {
    /// Messages used.
    package var received: Int
    /// Numbers between the first and the last that never came.
    package var missing: Int
    /// Messages that came twice and were used once.
    package var repeated: Int
    /// Messages that came after a later one; they are used.
    package var reordered: Int
    /// Messages with numbers that cannot be right; they are not used.
    package var implausible: Int
  }

  /// What was read.
  package struct Input: Codable, Sendable, Equatable {
    /// Messages.
    package var messages: Int
    /// Bytes of their payloads.
    package var bytes: Int
    /// Tensors among them, which are counted and not looked at.
    package var tensors: Int
    /// Messages of other topics.
    package var foreign: Int
    /// Messages that could not be read, by kind.
    package var unreadable: [String: Int]
    /// Messages beyond what a report keeps apart (devices, runs, epochs, phases).
    package var beyondLimits: Int
    /// Where a recording is damaged.
    package var damage: [String]

    enum CodingKeys: String, CodingKey {
      case messages, bytes, tensors, foreign, unreadable
      case beyondLimits = "beyond_limits"
      case damage
    }
  }
}
