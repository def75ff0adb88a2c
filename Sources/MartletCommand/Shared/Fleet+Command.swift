import Engine
import Glibc
import Logging
import MQTT
import Plan
import Processes
import Resilience
import Runtime
import TensorCore
import TensorFiles

/// A broker of its own and worker processes of a plan, all on this machine.
final class LocalFleet {
  let broker: EmbeddedBroker
  let plan: PlanFolder
  private let folder: String
  private var workers: [String: ChildProcess] = [:]

  /// - Parameter folder: where the workers' logs go.
  init(_ plan: PlanFolder, broker: EmbeddedBroker, folder: String) {
    self.plan = plan
    self.broker = broker
    self.folder = folder
  }

  var names: [String] { plan.plan.devices.map(\.name) }

  /// The device that is made to fail: the middle one.
  var victim: String { names[names.count / 2] }

  /// Says only what went wrong.
  static let logger: Logger = {
    var logger = Logger(label: "martlet") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .error
    return logger
  }()

  func address() throws(MartletError) -> DeploymentAddress {
    DeploymentAddress(
      broker: MQTTConfiguration(
        address: try BrokerAddress(parsing: broker.socketAddress), clientIDPrefix: "local"))
  }

  /// A client, not yet connected.
  func client(
    _ adjust: (inout ClientConfiguration) -> Void
  ) throws(MartletError) -> InferenceClient {
    var configuration = ClientConfiguration(address: try address())
    configuration.study = try FailureTable.read(beside: plan)
    adjust(&configuration)
    return try InferenceClient(
      engines: try DeviceEngines(folder: plan, device: nil), planID: plan.id,
      configuration: configuration, logger: Self.logger)
  }

  /// Starts a worker, with further options of `martlet worker`.
  func start(_ device: String, _ options: [String] = []) throws(MartletError) {
    workers[device] = try ChildProcess(
      .init(
        executable: try System.executablePath(),
        arguments: [
          "worker", "--broker", broker.socketAddress, "--plan", plan.path, "--device", device,
          "--log-level", "warning",
        ] + options, standardOutput: .discarded, standardError: .appended(log(device))))
  }

  /// Waits until all devices are ready.
  ///
  /// - Throws: `timedOut`, with the end of a worker's log.
  func waitUntilReady(_ client: InferenceClient) throws(MartletError) {
    guard try client.waitForDevices(timeout: .seconds(30)) else {
      let silent = client.devices.first { !$0.isAlive }?.device ?? names[0]
      throw MartletError(
        .timedOut, "the workers did not get ready", context: ["log": logTail(silent)])
    }
  }

  /// The workers that run, in the order of the plan.
  var processes: [ChildProcess] { names.compactMap { workers[$0] } }

  func signal(_ device: String, _ signal: Int32) { workers[device]?.signal(signal) }

  /// Waits for a worker that was killed.
  func reap(_ device: String) {
    _ = workers.removeValue(forKey: device)?.wait(timeout: .seconds(5))
  }

  /// Asks all workers to leave, and ends those that do not.
  func stopWorkers() {
    for worker in workers.values {
      worker.signal(SIGTERM)
      // A worker that was stopped hears nothing until it goes on.
      worker.signal(SIGCONT)
    }
    for worker in workers.values where worker.wait(timeout: .seconds(5)) == nil {
      worker.signal(SIGKILL)
      _ = worker.wait(timeout: .seconds(3))
    }
    workers = [:]
  }

  private func log(_ device: String) -> String { folder + "/" + device + ".log" }

  private func logTail(_ device: String) -> String {
    String(((try? FileSystem.readText(log(device))) ?? "").suffix(300))
  }
}
