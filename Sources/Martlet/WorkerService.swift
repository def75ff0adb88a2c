import Engine
import Foundations
public import Logging
import Plan
import Runtime
public import ServiceLifecycle

/// One device of a plan, as a service: it connects to the broker, says that it is there, and computes its
/// share of every frame until it is told to stop.
///
/// ```swift
/// let worker = WorkerService(plan: plan, device: "kitchen", broker: broker)
/// let group = ServiceGroup(
///   services: [worker], gracefulShutdownSignals: [.sigterm], logger: logger)
/// try await group.run()
/// ```
///
/// It works on a thread of its own. Several workers may run in one process, each for another device.
public struct WorkerService: Service {
  /// How a worker works.
  public struct Options: Sendable {
    /// How parts travel; as the plan says if nil, and exactly where it says nothing.
    public var wire: WireFormat?
    /// How long to wait for others' parts once one's own is ready.
    public var deadline = PartDeadline.standard
    /// Time between two heartbeats while there is no work, 10 ms to 60 s; with work it is 100 ms at
    /// most.
    public var heartbeat = Duration.milliseconds(500)
    /// How long to try to reach the broker at the start; for ever if nil.
    public var patience: Duration?
    /// Frames computed at once.
    public var framesInFlight = 4
    /// Where the last epoch is kept, for boards whose clock may go back; nil to rely on the clock.
    public var stateFolder: String?
    /// Whether the worker publishes its metrics, once a second.
    public var publishesMetrics = true
    /// Whether it publishes its part of every layer, also of those that nobody who takes part in the frame
    /// gathers, for those who look on.
    public var publishesEveryLayer = false

    /// What `martlet worker` does without options.
    public init() {}
  }

  /// The device's name.
  public let device: String
  private let plan: DeploymentPlan
  private let broker: BrokerAccess
  private let options: Options
  private let logger: Logger

  /// Prepares a worker; nothing is read or sent before ``run()``.
  ///
  /// - Parameters:
  ///   - plan: with this device's weights in its folder.
  ///   - device: one of ``DeploymentPlan/devices``.
  ///   - broker: where the broker is.
  ///   - options: how parts travel and how long others are waited for.
  ///   - logger: gets what happens; nothing is logged if nil.
  public init(
    plan: DeploymentPlan, device: String, broker: BrokerAccess, options: Options = Options(),
    logger: Logger? = nil
  ) {
    self.plan = plan
    self.device = device
    self.broker = broker
    self.options = options
    self.logger = logger ?? .silent
  }

  /// Works until the service group shuts down gracefully or the task is cancelled. Then it says that it
  /// is leaving, finishes the frames that count on it, which takes some seconds at most, says goodbye
  /// (its retained presence becomes `offline`), and returns.
  ///
  /// - Throws: ``MartletError``: `notFound` or `mismatch` for a device or weights that the plan's folder
  ///   does not have, `permissionDenied` or `invalidArgument` if the broker cannot be used as it is
  ///   configured here, `unreachable` after the patience, `superseded` if another worker took over this
  ///   device's name, `resourceExhausted`.
  public func run() async throws {
    let (folder, device, logger) = (plan.folder, device, logger)
    var prepared = WorkerConfiguration(address: broker.deploymentAddress)
    prepared.wire = options.wire?.settings ?? WireSettings()
    prepared.limits.deadline = options.deadline.policy
    prepared.limits.study = try plan.failureTable()
    prepared.heartbeat = options.heartbeat
    prepared.patience = options.patience
    prepared.limits.framesInFlight = options.framesInFlight
    prepared.stateFolder = options.stateFolder
    prepared.publishesMetrics = options.publishesMetrics
    prepared.limits.publishesAll = options.publishesEveryLayer
    let base = prepared
    try await HostThread.run { () throws(Foundations.MartletError) in
      let engines = try DeviceEngines(
        folder: folder, device: try folder.plan.deviceNumber(device))
      return try Host { least throws(Foundations.MartletError) in
        var configuration = base
        configuration.leastEpoch = least
        return try Worker(
          engines: engines, planID: folder.id, configuration: configuration, logger: logger)
      }
    }
  }
}
