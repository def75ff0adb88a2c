import Glibc
import Logging
import MQTT
import Plan
import Processes
import TensorCore

/// Does what the schedule says: breaks things and mends them.
final class Breaker {
  /// Ids of clients, for the garbage publisher.
  var clients: [String] = []
  private(set) var garbageMessages = 0
  private(set) var isBrokerDown = false
  private let fleet: Fleet
  private let broker: EmbeddedBroker
  private let plan: PlanFolder
  private let logger: Logger
  private var seed: UInt64
  private var slow: [Fault: SlowSubscriber] = [:]
  private var garbage: [Fault: GarbagePublisher] = [:]
  private static let deployment = "default"

  init(fleet: Fleet, broker: EmbeddedBroker, plan: PlanFolder, seed: UInt64, logger: Logger) {
    self.fleet = fleet
    self.broker = broker
    self.plan = plan
    self.seed = seed
    self.logger = logger
  }

  /// Breaks something.
  func begin(_ fault: Fault) throws {
    let device = fault.device ?? 0
    switch fault.kind {
    case .kill, .clockStep: fleet.kill(device)
    case .terminate: fleet.terminate(device)
    case .pause: fleet.signal(device, SIGSTOP)
    case .cut: fleet.setCut(true, device)
    case .brokerForgets, .brokerRemembers:
      isBrokerDown = true
      broker.crash()
    case .slowSubscriber:
      slow[fault] = try SlowSubscriber(
        try intruder(), deployment: Self.deployment, logger: logger)
    case .garbage:
      seed += 1
      garbage[fault] = try GarbagePublisher(
        try intruder(),
        garbage: try Garbage(
          seed: seed, plan: plan.plan, planID: plan.id, deployment: Self.deployment,
          clients: clients), logger: logger)
    case .duplicate: try fleet.duplicate(device)
    }
  }

  /// Mends it.
  func end(_ fault: Fault) throws {
    let device = fault.device ?? 0
    switch fault.kind {
    case .kill: try fleet.start(device)
    case .clockStep: try fleet.start(device, clockSeconds: fault.clockSeconds)
    case .terminate:
      fleet.expectEnd(device, patience: .seconds(5))
      try fleet.start(device)
    case .pause: fleet.signal(device, SIGCONT)
    case .cut: fleet.setCut(false, device)
    case .brokerForgets, .brokerRemembers:
      if fault.kind == .brokerForgets { unlink(broker.folder + "/mosquitto.db") }
      try broker.restart()
      isBrokerDown = false
    case .slowSubscriber: slow.removeValue(forKey: fault)?.close()
    case .garbage: garbageMessages += garbage.removeValue(forKey: fault)?.close() ?? 0
    case .duplicate: fleet.expectGivenWay(device)
    }
  }

  /// Ends all intruders; may be called any number of times.
  func close() {
    for subscriber in slow.values { subscriber.close() }
    for publisher in garbage.values { _ = publisher.close() }
    slow = [:]
    garbage = [:]
  }

  private func intruder() throws(MartletError) -> MQTTConfiguration {
    MQTTConfiguration(
      address: try BrokerAddress(parsing: broker.socketAddress), clientIDPrefix: "intruder")
  }
}
