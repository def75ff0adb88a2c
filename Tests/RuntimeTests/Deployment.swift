import Engine
import Glibc
import Imaging
import JSONCoding
import Logging
import MQTT
import ModelGraph
import ONNXImport
import Plan
import Planning
import Processes
import Runtime
import TensorCore
import TensorFiles
import TestSupport
import WireProtocol

/// A broker, a plan of the bundled model for devices `d0`, `d1` and so on, and `martlet worker`
/// processes, for one test.
final class Deployment {
  let broker: EmbeddedBroker
  let folder: String
  let plan: PlanFolder
  let digits: Digits
  /// What workers are started with besides broker, plan and device.
  var workerOptions = ["--deadline", "5s", "--heartbeat", "200ms", "--log-level", "info"]
  private(set) var workers: [String: ChildProcess] = [:]
  private var gateways: [ChildProcess] = []
  private var starts = 0

  private init(
    broker: EmbeddedBroker, folder: String, devices: Int,
    placing: (([LayerTraits]) throws -> [LayerPlacement])?,
    planning: ((String) throws -> PlanFolder)?
  ) throws {
    self.broker = broker
    self.folder = folder
    digits = try Digits(folder: folder)
    plan =
      try planning?(folder)
      ?? DemoModel.plan(devices: devices, placing: placing, folder: folder)
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
    try TemporaryFolder.with(prefix: "martlet-test") { folder in
      try withEmbeddedBroker(extraConfiguration: brokerConfiguration) { broker in
        let deployment = try Deployment(
          broker: broker, folder: folder, devices: devices, placing: placing, planning: planning)
        defer {
          for child in deployment.workers.values + deployment.gateways {
            child.stop(patience: .zero)
          }
        }
        try body(deployment)
      }
    }
  }

  var names: [String] { plan.plan.devices.map(\.name) }

  /// Starts a worker. One that runs already under that name goes on, but is not known here any more.
  ///
  /// - Parameter broker: another one than the deployment's.
  @discardableResult
  func start(
    _ device: String, _ options: [String] = [], at broker: EmbeddedBroker? = nil
  ) throws -> ChildProcess {
    starts += 1
    let worker = try ChildProcess(
      .init(
        executable: try martletExecutable(),
        arguments: [
          "worker", "--broker", (broker ?? self.broker).socketAddress, "--plan", plan.path,
          "--device", device,
        ] + workerOptions + options, standardOutput: .discarded,
        standardError: .appended(log(device))))
    workers[device] = worker
    return worker
  }

  /// Starts workers for all devices but `absent`.
  func startAll(but absent: Set<String> = [], _ options: [String] = []) throws {
    for name in names where !absent.contains(name) { try start(name, options) }
  }

  /// Starts a gateway; it ends with the deployment.
  func startGateway(_ name: String, _ options: [String] = []) throws -> ChildProcess {
    let gateway = try ChildProcess(
      .init(
        executable: try martletExecutable(),
        arguments: [
          "gateway", "--broker", broker.socketAddress, "--plan", plan.path, "--name", name,
          "--deadline", "5s",
        ] + options, standardOutput: .discarded, standardError: .appended(log(name))))
    gateways.append(gateway)
    return gateway
  }

  private func log(_ device: String) -> String { folder + "/" + device + ".log" }

  /// What the workers of a device have written to standard error.
  func standardError(of device: String) -> String {
    (try? FileSystem.readText(log(device))) ?? ""
  }

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
    var configuration = ClientConfiguration(address: try address)
    configuration.deadline = .fixed(5_000_000_000)
    configuration.frameLimit = .seconds(10)
    adjust(&configuration)
    let client = try InferenceClient(
      engines: try DeviceEngines(folder: plan, device: nil), planID: plan.id,
      configuration: configuration, logger: quietLogger)
    defer { client.close() }
    try client.connect()
    return try body(client)
  }

  /// The same plan in this process.
  func reference(wire: ElementType = .float32) throws -> LocalCluster {
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

/// The executable that was built with the tests: it lies beside them.
func martletExecutable() throws -> String {
  FileSystem.folder(of: try System.executablePath()) + "/martlet"
}

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
