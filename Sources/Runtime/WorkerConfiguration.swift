package import Engine
import Foundations
package import MQTT
package import Plan
package import Telemetry
package import Tensors

/// How to reach a deployment.
package struct DeploymentAddress: Sendable {
  /// The broker, with credentials and TLS settings.
  package var broker: MQTTConfiguration
  /// Separates deployments that share a broker; `[a-z0-9_-]{1,32}`.
  package var deployment: String

  /// - Parameter deployment: `default` unless several deployments share the broker.
  package init(broker: MQTTConfiguration, deployment: String = "default") {
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
package struct WireSettings: Sendable {
  /// The type of all parts; what the plan says of each if nil. A client sends inputs that are no images
  /// in it, and float32 if nil.
  package var elementType: ElementType?
  /// Above this many bytes a tensor is cut into chunks.
  package var chunkBytes: Int

  /// As the plan says, in chunks of 256 KiB, unless told otherwise.
  package init(elementType: ElementType? = nil, chunkBytes: Int = 256 << 10) {
    self.elementType = elementType
    self.chunkBytes = chunkBytes
  }
}

/// Everything a worker needs to know besides its plan.
package struct WorkerConfiguration: Sendable {
  /// Where to work.
  package var address: DeploymentAddress
  /// How parts are sent.
  package var wire = WireSettings()
  /// What the frames that it works on may take: room, and waiting for others' parts.
  package var limits = WorkerCore.Limits()
  /// Time between two heartbeats while there is no work; with work it is 100 ms at most.
  package var heartbeat: Duration = .milliseconds(500)
  /// How long to try to reach the broker at the start; for ever if nil.
  package var patience: Duration?
  /// The epoch is at least this: a run that has ended had the one before.
  package var leastEpoch: UInt64?
  /// How wrong the wall clock is, for tests.
  package var clockOffsetSeconds = 0
  /// Whether `device/fault` may stall, cut off or end this worker, or damage what it sends.
  package var allowsFaults = false
  /// Where the last epoch is kept; nil to rely on the clock alone.
  package var stateFolder: String?
  /// For measurements: a device that says that it is there, and never sends a part.
  package var isMute = false
  /// Power of a busy core, for the estimate where no meter is found, in watts.
  package var busyWatts = 1.0
  /// Power of the idle board, for the same estimate, in watts.
  package var idleWatts = 2.7

  /// Whether the worker publishes metrics.
  package var publishesMetrics = true
  /// How fast this device is, for whoever plans; published with what it is.
  package var profile: DeviceProfile?
  /// What to read the energy from; the best source that the machine has if nil.
  package var energySource: EnergyMeter.Source?

  /// Called between two pieces of work, no more often than every two seconds: to give memory back
  /// that is free.
  package var tidy: (@Sendable () -> Void)?

  /// The defaults for one address.
  package init(address: DeploymentAddress) { self.address = address }

  /// The meter that these settings ask for.
  func energyMeter() throws(MartletError) -> EnergyMeter {
    let assumption = EnergyMeter.Assumption(wattsPerBusyCore: busyWatts, idleWatts: idleWatts)
    guard let energySource else { return EnergyMeter(assumption: assumption) }
    return try EnergyMeter(source: energySource, assumption: assumption)
  }
}

extension Duration {
  /// Whole milliseconds, rounded down.
  var milliseconds: Int { Int(nanoseconds / 1_000_000) }
}
