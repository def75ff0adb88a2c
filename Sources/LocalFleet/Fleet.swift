import Engine
package import Foundations
import Glibc
package import Logging
package import Plan
package import Processes
package import Runtime
import TensorFiles

/// The worker processes of a plan on this machine, and what else `martlet` does beside them.
///
/// A fleet exists within `withFleet`, which ends every process that was started here. Nothing runs
/// until it is started.
package final class Fleet {
  /// What differs from fleet to fleet.
  package struct Settings: Sendable {
    /// The program; this one, as it was called, if nil.
    package var executable: String?
    /// The whole environment of the processes, or nil for this one's.
    package var environment: [String: String]?
    /// Options of every worker besides broker, plan and device.
    package var workerOptions = ["--log-level", "warning"]
    /// Whether the processes write to this one's standard error instead of to logs.
    package var showsErrors = false
    /// How long processes may take to end when the fleet does.
    package var patience = Duration.seconds(5)
    /// Lines added to the configuration of a broker of its own; see `EmbeddedBroker`.
    package var brokerConfiguration = ""

    /// Quiet workers of this program.
    package init() {}
  }

  /// The plan that the workers run.
  package let plan: PlanFolder
  /// A folder that is removed with the fleet; the logs are in it.
  package let folder: String
  /// Where workers and clients meet.
  package var site: Site
  /// Options of every worker besides broker, plan and device.
  package var workerOptions: [String]
  /// The worker that each device was last given, unless that has been killed or let go since.
  package private(set) var workers: [String: ChildProcess] = [:]
  /// Workers started so far.
  package private(set) var starts = 0
  private let executable: String
  /// What comes before the arguments of a command.
  private let leading: [String]
  private let settings: Settings
  /// All processes that may still run.
  private var children: [ChildProcess] = []

  init(_ settings: Settings, plan: PlanFolder, site: Site, folder: String) throws {
    self.settings = settings
    self.plan = plan
    self.site = site
    self.folder = folder
    workerOptions = settings.workerOptions
    if let executable = settings.executable {
      (self.executable, leading) = (executable, [])
    } else {
      let own = try OwnProgram()
      (executable, leading) = (own.path, own.leading)
    }
  }

  /// The devices, in the order of the plan.
  package var names: [String] { plan.plan.devices.map(\.name) }

  // MARK: Processes

  /// Starts a device's worker. One that runs already goes on, but is none of `workers` any more.
  ///
  /// - Parameters:
  ///   - options: further options of `martlet worker`.
  ///   - broker: another one than the site's.
  /// - Throws: as `ChildProcess`.
  @discardableResult
  package func start(
    _ device: String, _ options: [String] = [], at broker: EmbeddedBroker? = nil
  ) throws(MartletError) -> ChildProcess {
    starts += 1
    let access = broker.map { ["--broker", $0.socketAddress] } ?? site.workerAccess(device)
    let arguments = ["worker"] + access + ["--plan", plan.path, "--device", device]
    let worker = try launch(device, arguments + workerOptions + options)
    workers[device] = worker
    return worker
  }

  /// Starts the workers of all devices but `absent`.
  ///
  /// - Throws: as `ChildProcess`.
  package func startAll(
    but absent: Set<String> = [], _ options: [String] = []
  ) throws(MartletError) {
    for name in names where !absent.contains(name) { try start(name, options) }
  }

  /// Starts another `martlet`, which writes its log under this name.
  ///
  /// - Throws: as `ChildProcess`.
  package func launch(
    _ name: String, _ arguments: [String]
  ) throws(MartletError) -> ChildProcess {
    children.removeAll { $0.exitStatus != nil }
    let child = try ChildProcess(
      .init(
        executable: executable, arguments: leading + arguments, environment: settings.environment,
        standardOutput: .discarded,
        standardError: settings.showsErrors ? .inherited : .appended(log(name))))
    children.append(child)
    return child
  }

  /// Sends a signal to a device's worker.
  package func signal(_ device: String, _ number: Int32) { workers[device]?.signal(number) }

  /// Kills a device's worker and waits for its end.
  package func kill(_ device: String) {
    guard let worker = letGo(device) else { return }
    worker.signal(SIGKILL)
    _ = worker.wait(timeout: .seconds(10))
  }

  /// Counts a device's worker no longer among `workers`; if it runs, it ends with the fleet.
  package func letGo(_ device: String) -> ChildProcess? { workers.removeValue(forKey: device) }

  /// Asks all processes to end, and kills those that do not in time; the fleet can go on afterwards.
  package func stop() {
    for child in children {
      child.signal(SIGTERM)
      // One that was stopped hears nothing until it goes on.
      child.signal(SIGCONT)
    }
    let end = ContinuousClock.now + settings.patience
    for child in children where child.wait(timeout: end - .now) == nil { child.signal(SIGKILL) }
    for child in children { _ = child.wait(timeout: .seconds(10)) }
    children = []
    workers = [:]
  }

  // MARK: Words

  /// What processes of this name have written to standard error.
  package func standardError(of name: String) -> String {
    (try? FileSystem.readText(log(name))) ?? ""
  }

  private func log(_ name: String) -> String { folder + "/" + name + ".log" }

  // MARK: Clients

  /// A client, not yet connected.
  ///
  /// - Throws: as `InferenceClient`.
  package func client(
    logger: Logger, _ adjust: (inout ClientConfiguration) -> Void = { _ in }
  ) throws(MartletError) -> InferenceClient {
    var configuration = ClientConfiguration(address: site.address)
    adjust(&configuration)
    return try InferenceClient(
      engines: try DeviceEngines(folder: plan, device: nil), planID: plan.id,
      configuration: configuration, logger: logger)
  }

  /// Waits until a client knows all devices to be ready.
  ///
  /// - Throws: `timedOut`, with the end of a worker's log.
  package func waitUntilReady(
    _ client: InferenceClient, timeout: Duration = .seconds(30)
  ) throws(MartletError) {
    guard try client.waitForDevices(timeout: timeout) else {
      let silent = client.devices.first { !$0.isAlive }?.device ?? names[0]
      let log = standardError(of: silent).suffix(300)
      throw MartletError(
        .timedOut, "the workers did not get ready", context: log.isEmpty ? [:] : ["log": "\(log)"])
    }
  }
}
