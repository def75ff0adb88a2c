import Foundations
import Glibc
import Logging
import MQTT
import Plan
import Processes
import Runtime
import WireProtocol

/// Does what the schedule says: breaks things and mends them.
final class Breaker {
  /// Ids of clients, for the garbage publisher.
  var clients: [String] = []
  private(set) var garbageMessages = 0
  private(set) var isBrokerDown = false
  /// Calls of `device/fault` that failed although the broker was there.
  private(set) var failures: [String] = []
  private let fleet: WatchedFleet
  private let broker: EmbeddedBroker
  private let plan: PlanFolder
  private let folder: String
  private let logger: Logger
  private let caller: RPCClient
  private var seed: UInt64
  private var slow: [Fault: SlowSubscriber] = [:]
  private var garbage: [Fault: GarbagePublisher] = [:]
  private var forgers: [Fault: EpochForger] = [:]
  private(set) var forgedParts = 0
  private var recordings: [LimitedRecording] = []
  private static let deployment = "default"

  init(
    fleet: WatchedFleet, broker: EmbeddedBroker, plan: PlanFolder, folder: String, seed: UInt64,
    logger: Logger
  ) throws(MartletError) {
    self.fleet = fleet
    self.broker = broker
    self.plan = plan
    self.folder = folder
    self.seed = seed
    self.logger = logger
    caller = try RPCClient(
      address: DeploymentAddress(
        broker: MQTTConfiguration(
          address: try BrokerAddress(parsing: broker.socketAddress), clientIDPrefix: "chaos"),
        deployment: Self.deployment), logger: logger)
    try caller.connect(timeout: .seconds(10))
  }

  /// Breaks something.
  ///
  /// - Returns: false where it could not be done because the broker is away.
  func begin(_ fault: Fault) throws -> Bool {
    let device = fault.device ?? 0
    if let request = fault.kind.facts.request { return try ask(request, fault, device) }
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
    case .forgedEpoch:
      forgers[fault] = try EpochForger(
        try intruder(), deployment: Self.deployment, logger: logger)
    case .duplicate: try fleet.duplicate(device)
    case .fullDisk:
      let path = "\(folder)/flight-\(recordings.count).rec"
      recordings.append(try LimitedRecording(to: path, broker: broker.socketAddress))
    default: throw Self.unknown(fault)
    }
    return true
  }

  /// Asks a device for what the kind's template says, for as long as the fault lasts.
  private func ask(_ template: FaultRequest, _ fault: Fault, _ device: Int) throws -> Bool {
    let (seconds, rest) = (fault.end - fault.start).components
    var request = template
    request.forMilliseconds = Int(seconds * 1000 + rest / 1_000_000_000_000_000)
    seed += 1
    request.seed = seed
    guard try call(request, device) else { return false }
    if let code = request.code { fleet.expectExit(device, status: Int32(code)) }
    return true
  }

  private static func unknown(_ fault: Fault) -> MartletError {
    MartletError(
      .unsupported, "nothing carries out this kind of fault",
      context: ["kind": fault.kind.rawValue])
  }

  private func call(_ request: FaultRequest, _ device: Int) throws -> Bool {
    // Waiting for an answer would keep the broker away for longer than the schedule says.
    guard !isBrokerDown else { return false }
    var call = RPCClient.Call(RPCMethod("device", "fault"), target: fleet.names[device])
    call.body = .json(try request.body())
    call.resendAfter = .seconds(1)
    do {
      _ = try caller.result(of: call)
      return true
    } catch {
      failures.append("device/fault of \(fleet.names[device]): \(error)")
      return false
    }
  }

  /// Mends it.
  func end(_ fault: Fault) throws {
    let device = fault.device ?? 0
    let facts = fault.kind.facts
    if facts.request != nil {
      // The device mends itself, unless it has ended.
      if facts.endsProcess, fleet.process(device) == nil { try fleet.start(device) }
      return
    }
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
    case .forgedEpoch: forgedParts += forgers.removeValue(forKey: fault)?.close() ?? 0
    // What comes of them shows when all is well again; see `settle`.
    case .duplicate, .fullDisk: break
    default: throw Self.unknown(fault)
    }
  }

  /// Takes note of older workers and recordings that have not ended as they should; called when all
  /// is well again.
  func settle() {
    fleet.expectGivenWay()
    for recording in recordings {
      if let failure = recording.failure() { failures.append(failure) }
    }
    recordings = []
  }

  /// Ends all intruders; may be called any number of times.
  func close() {
    caller.close()
    for subscriber in slow.values { subscriber.close() }
    for publisher in garbage.values { _ = publisher.close() }
    for forger in forgers.values { _ = forger.close() }
    slow = [:]
    garbage = [:]
    forgers = [:]
    for recording in recordings { recording.close() }
    recordings = []
  }

  private func intruder() throws(MartletError) -> MQTTConfiguration {
    MQTTConfiguration(
      address: try BrokerAddress(parsing: broker.socketAddress), clientIDPrefix: "intruder")
  }
}
