import Foundations
public import Logging
import Runtime
public import ServiceLifecycle

/// A gateway, as a service: it answers `inference/infer` of programs that know nothing of plans. They send
/// a photograph or a tensor over MQTT and get the answer as JSON. Several gateways of one group share the
/// requests.
///
/// It works on threads of its own.
public struct GatewayService: Service {
  /// How a gateway works.
  public struct Options: Sendable {
    /// The gateway's own name, unique in the deployment; the user name if it can be one, and else a
    /// random one.
    public var name: String?
    /// The name that callers use; gateways with the same one share the requests.
    public var group = "gateway"
    /// Requests that may wait besides those whose frames are under way; beyond that they are refused.
    public var waitingRequests = 32
    /// Time between two heartbeats, 10 ms to 60 s.
    public var heartbeat = Duration.milliseconds(500)
    /// How frames are sent and answered. An answer of which less is expected than
    /// ``InferenceSession/Options/minimumExpectedAccuracy`` becomes the status `UNAVAILABLE`. Where
    /// ``InferenceSession/Options/inFlight`` is nil there are two for each device of a plan of whole
    /// frames, 4 to 64, and 4 with other plans.
    public var session: InferenceSession.Options

    /// What `martlet gateway` does without options: 10 s of patience, frames at once as the plan wants.
    public init() {
      session = InferenceSession.Options()
      session.patience = .seconds(10)
      session.inFlight = nil
    }
  }

  private let plan: DeploymentPlan
  private let broker: BrokerAccess
  private let options: Options
  private let logger: Logger

  /// Prepares a gateway; nothing is sent before ``run()``.
  ///
  /// - Parameters:
  ///   - plan: the one that the workers run.
  ///   - broker: where the broker is.
  ///   - options: names, limits, and how frames are sent.
  ///   - logger: gets what happens; nothing is logged if nil.
  public init(
    plan: DeploymentPlan, broker: BrokerAccess, options: Options = Options(),
    logger: Logger? = nil
  ) {
    self.plan = plan
    self.broker = broker
    self.options = options
    self.logger = logger ?? .silent
  }

  /// Answers requests until the service group shuts down gracefully or the task is cancelled. Then it
  /// takes no new ones, answers those that it has within 5 s, says goodbye, and returns.
  ///
  /// - Throws: ``MartletError``: `invalidArgument` for names or options that cannot be, `unsupported` for
  ///   a model with several inputs, `permissionDenied` if the broker refuses this user or does not give
  ///   it the rights that a gateway needs, `superseded` if another gateway took over this one's name.
  public func run() async throws {
    let (folder, logger) = (plan.folder, logger)
    let address = broker.deploymentAddress
    var prepared = GatewayConfiguration(address: address)
    prepared.name = options.name
    prepared.group = options.group
    prepared.framesInFlight = options.session.inFlight
    prepared.waitingRequests = options.waitingRequests
    prepared.heartbeat = options.heartbeat
    prepared.client = try options.session.configuration(
      address: address, study: try plan.failureTable())
    let base = prepared
    try await HostThread.run { () throws(Foundations.MartletError) in
      try Host { least throws(Foundations.MartletError) in
        var configuration = base
        configuration.leastEpoch = least
        return try Gateway(folder: folder, configuration: configuration, logger: logger)
      }
    }
  }
}
