import Engine
import Glibc
import Imaging
import JSONCoding
import LocalFleet
import Logging
import MQTT
import ModelGraph
import ONNXImport
import Plan
import Planning
import Processes
import Runtime
import TensorFiles
import Tensors
import TestSupport
import WireProtocol

/// A fleet with a broker of its own and a plan of the bundled model for devices `d0`, `d1` and so on,
/// for one test.
final class Deployment {
  let broker: EmbeddedBroker
  let digits: Digits
  private let fleet: Fleet

  private init(_ fleet: Fleet, broker: EmbeddedBroker) throws {
    self.fleet = fleet
    self.broker = broker
    digits = try Digits(folder: fleet.folder)
  }

  /// Runs `body` with a deployment and ends every process afterwards.
  ///
  /// - Parameters:
  ///   - placing: who holds what; each neuron is on one device if nil.
  ///   - planning: makes another plan than one of the bundled model, in a folder that it is given.
  ///   - brokerConfiguration: lines added to the broker's configuration.
  static func with(
    devices: Int = 4, brokerConfiguration: String = "",
    placing: (([LayerTraits]) throws -> [LayerPlacement])? = nil,
    planning: ((String) throws -> PlanFolder)? = nil,
    _ body: (Deployment) throws -> Void
  ) throws {
    var settings = Fleet.Settings()
    settings.executable = try martletExecutable()
    settings.workerOptions = ["--deadline", "5s", "--heartbeat", "200ms", "--log-level", "info"]
    settings.patience = .zero
    settings.brokerConfiguration = brokerConfiguration
    func plan(folder: String) throws -> PlanFolder {
      try planning?(folder) ?? DemoModel.plan(devices: devices, placing: placing, folder: folder)
    }
    try withFleet(settings, plan: plan) { try body(try Deployment($0, broker: $1)) }
  }

  var plan: PlanFolder { fleet.plan }
  var folder: String { fleet.folder }
  var names: [String] { fleet.names }
  /// See `Fleet.workers`.
  var workers: [String: ChildProcess] { fleet.workers }

  /// What workers are started with besides broker, plan and device.
  var workerOptions: [String] {
    get { fleet.workerOptions }
    set { fleet.workerOptions = newValue }
  }

  /// Starts a worker; see `Fleet.start`.
  @discardableResult
  func start(
    _ device: String, _ options: [String] = [], at broker: EmbeddedBroker? = nil
  ) throws -> ChildProcess {
    try fleet.start(device, options, at: broker)
  }

  /// Starts workers for all devices but `absent`.
  func startAll(but absent: Set<String> = [], _ options: [String] = []) throws {
    try fleet.startAll(but: absent, options)
  }

  /// Starts a gateway; it ends with the deployment.
  func startGateway(_ name: String, _ options: [String] = []) throws -> ChildProcess {
    let arguments = ["gateway", "--broker", broker.socketAddress, "--plan", plan.path]
    return try fleet.launch(name, arguments + ["--name", name, "--deadline", "5s"] + options)
  }

  /// What the workers of a device have written to standard error.
  func standardError(of device: String) -> String { fleet.standardError(of: device) }

  var address: DeploymentAddress {
    get throws { try Deployment.address(of: broker) }
  }

  static func address(of broker: EmbeddedBroker) throws -> DeploymentAddress {
    var configuration = MQTTConfiguration(
      address: try BrokerAddress(parsing: broker.socketAddress))
    configuration.backoff = MQTTBackoff(initial: .milliseconds(20), maximum: .milliseconds(100))
    return DeploymentAddress(broker: configuration)
  }

  /// Runs `body` with a connected client.
  func withClient<Result>(
    _ adjust: (inout ClientConfiguration) -> Void = { _ in },
    _ body: (InferenceClient) throws -> Result
  ) throws -> Result {
    let address = try address
    let client = try fleet.client(logger: quietLogger) {
      $0.address = address
      $0.deadline = .fixed(.seconds(5))
      $0.frameLimit = .seconds(10)
      adjust(&$0)
    }
    defer { client.close() }
    try client.connect()
    return try body(client)
  }

  /// The same plan in this process.
  ///
  /// - Parameter wire: how parts travel; as the plan says if nil.
  func reference(wire: ElementType? = .float32) throws -> LocalCluster {
    LocalCluster(
      devices: try names.indices.map { try DeviceEngines(folder: plan, device: $0) },
      client: try DeviceEngines(folder: plan, device: nil), wire: wire)
  }

  /// Every device but these, as a mask for the reference.
  func alive(but absent: Set<String> = []) -> [Bool] { names.map { !absent.contains($0) } }
}

/// Says nothing: tests look at results.
let quietLogger: Logger = {
  var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  logger.logLevel = .critical
  return logger
}()

extension InferenceClient {
  /// Sends a frame and waits for its answer.
  func answer(_ input: Tensor) throws -> Answer {
    _ = try submit(input)
    return try next()
  }

  /// Sends frames until an answer satisfies `condition`; nil after `seconds`.
  func answer(
    _ input: Tensor, seconds: Int = 10, until condition: (Answer) -> Bool
  ) throws -> Answer? {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      let result = try answer(input)
      if condition(result) { return result }
    }
    return nil
  }
}
