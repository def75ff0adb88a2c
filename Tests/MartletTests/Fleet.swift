import Logging
import MQTT
import Martlet
import Processes
import ServiceLifecycle
import Synchronization
import WireProtocol

/// A broker, a plan of the demo's model, and its workers as services of this process.
struct Fleet: Sendable {
  let files: DemoFiles
  let broker: EmbeddedBroker
  let plan: DeploymentPlan

  /// How to get at the broker.
  var access: BrokerAccess {
    get throws { try BrokerAccess(broker.socketAddress) }
  }

  /// Runs `body` while the workers run, and shuts them down gracefully afterwards.
  ///
  /// - Parameter more: services besides the workers.
  /// - Returns: what `body` returns, once all services have ended.
  static func with<Result: Sendable>(
    devices: Int = 3, more: (Fleet) throws -> [any Service] = { _ in [] },
    _ body: @Sendable (Fleet) async throws -> Result
  ) async throws -> Result {
    let files = try DemoFiles()
    let broker = try EmbeddedBroker()
    defer { broker.stop() }
    let fleet = Fleet(files: files, broker: broker, plan: try await files.plan(devices: devices))
    var services: [any Service] = try more(fleet)
    for device in fleet.plan.devices { services.append(try fleet.worker(device)) }
    let group = ServiceGroup(services: services, logger: .quiet)
    async let running: Void = group.run()
    let result: Result
    do {
      result = try await body(fleet)
    } catch {
      await group.triggerGracefulShutdown()
      try? await running
      throw error
    }
    await group.triggerGracefulShutdown()
    try await running
    return result
  }

  func worker(_ device: String) throws -> WorkerService {
    var options = WorkerService.Options()
    options.deadline = .fixed(.seconds(5))
    options.heartbeat = .milliseconds(100)
    return WorkerService(plan: plan, device: device, broker: try access, options: options)
  }

  /// A session with the workers, which are there.
  func session(
    _ adjust: (inout InferenceSession.Options) -> Void = { _ in }
  ) async throws -> InferenceSession {
    var options = InferenceSession.Options()
    options.deadline = .fixed(.seconds(5))
    adjust(&options)
    let session = try await InferenceSession(plan: plan, broker: try access, options: options)
    try await session.waitUntilReady()
    return session
  }

  /// What the broker keeps as the word of a device, or of a gateway; nil after 10 s without any.
  func retainedState(of device: String) async throws -> String? {
    try await Fleet.retainedState(of: device, at: broker)
  }

  static func retainedState(
    of device: String, at broker: EmbeddedBroker
  ) async throws -> String? {
    let box = Box()
    let client = try MQTTClient(
      MQTTConfiguration(address: try BrokerAddress(parsing: broker.socketAddress)),
      logger: .quiet, onMessage: { message in box.set(message.copy().payload) })
    defer { client.close() }
    try client.subscribe([("martlet/1/default/presence/\(device)", .atLeastOnce)])
    try client.connect(timeout: .seconds(10))
    for _ in 0..<1000 {
      // Workers try at the start whether they may write here, with what is no presence.
      if let payload = box.value,
        let presence = try? Presence(payload: payload, source: "presence")
      {
        return presence.state.rawValue
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    return nil
  }

  /// The last message that came.
  private final class Box: Sendable {
    private let payload = Mutex<[UInt8]?>(nil)
    var value: [UInt8]? { payload.withLock { $0 } }
    func set(_ new: [UInt8]) { payload.withLock { $0 = new } }
  }
}

extension Logger {
  /// Says nothing: tests look at results.
  static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// Waits until something is so; false after 20 s.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
  for _ in 0..<2000 {
    if try await condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return false
}

/// The code of the error that `body` throws.
func code(of body: () async throws -> Void) async -> MartletError.Code? {
  do {
    try await body()
    return nil
  } catch {
    return (error as? MartletError)?.code
  }
}
