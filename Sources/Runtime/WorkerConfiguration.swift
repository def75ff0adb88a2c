public import MQTT
public import Resilience
public import Telemetry
public import TensorCore
public import WireProtocol

/// How to reach a deployment.
public struct DeploymentAddress: Sendable {
  /// The broker, with credentials and TLS settings.
  public var broker: MQTTConfiguration
  /// Separates deployments that share a broker; `[a-z0-9_-]{1,32}`.
  public var deployment: String

  /// - Parameter deployment: `default` unless several deployments share the broker.
  public init(broker: MQTTConfiguration, deployment: String = "default") {
    self.broker = broker
    self.deployment = deployment
  }

  /// The broker's configuration for one more client: two with one id would throw each other out.
  func configuration(clientIDPrefix prefix: String) -> MQTTConfiguration {
    var configuration = broker
    configuration.clientID = MQTTConfiguration.uniqueClientID(prefix: prefix)
    return configuration
  }
}

/// How tensors travel.
public struct WireSettings: Sendable {
  /// float32, or float16 for half the bytes.
  public var elementType: ElementType
  /// Above this many bytes a tensor is cut into chunks.
  public var chunkBytes: Int

  /// float32 in chunks of 256 KiB unless told otherwise.
  public init(elementType: ElementType = .float32, chunkBytes: Int = 256 << 10) {
    self.elementType = elementType
    self.chunkBytes = chunkBytes
  }
}

/// Everything a worker needs to know besides its plan.
public struct WorkerConfiguration: Sendable {
  /// Where to work.
  public var address: DeploymentAddress
  /// How parts are sent.
  public var wire = WireSettings()
  /// How long to wait for others' parts once one's own is ready.
  public var deadline = DeadlinePolicy.standard
  /// What is known of the plan's accuracy without some devices: what a part is worth waiting for.
  public var study: FailureTable?
  /// Time between two heartbeats while there is no work; with work it is 100 ms at most.
  public var heartbeat: Duration = .milliseconds(500)
  /// How long to try to reach the broker at the start; for ever if nil.
  public var patience: Duration?
  /// Frames computed at once.
  public var framesInFlight = 4
  /// The epoch is at least this: a run that has ended had the one before.
  public var leastEpoch: UInt64?
  /// How wrong the wall clock is, for tests.
  public var clockOffsetSeconds = 0
  /// Whether `device/fault` may stall, cut off or end this worker, or damage what it sends.
  public var allowsFaults = false
  /// Where the last epoch is kept; nil to rely on the clock alone.
  public var stateFolder: String?
  /// For measurements: a device that says that it is there, and never sends a part.
  public var isMute = false
  /// Power of a busy core, for the estimate where no meter is found, in watts.
  public var busyWatts = 1.0
  /// Power of the idle board, for the same estimate, in watts.
  public var idleWatts = 2.7

  /// Whether the worker publishes metrics.
  public var publishesMetrics = true
  /// What to read the energy from; the best source that the machine has if nil.
  public var energySource: EnergyMeter.Source?

  /// The defaults for one address.
  public init(address: DeploymentAddress) { self.address = address }

  /// The meter that these settings ask for.
  func energyMeter() throws(MartletError) -> EnergyMeter {
    let assumption = EnergyMeter.Assumption(wattsPerBusyCore: busyWatts, idleWatts: idleWatts)
    guard let energySource else { return EnergyMeter(assumption: assumption) }
    return try EnergyMeter(source: energySource, assumption: assumption)
  }
}

extension Duration {
  /// Whole nanoseconds; 0 for negative durations, capped at about 292 years.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let capped = min(UInt64(seconds), 9_000_000_000)
    return capped * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
  }

  /// Whole milliseconds, rounded down.
  var milliseconds: Int { Int(nanoseconds / 1_000_000) }
}
