import WireProtocol

/// Everything a gateway needs to know besides its plan.
public struct GatewayConfiguration: Sendable {
  /// Where to work.
  public var address: DeploymentAddress
  /// The gateway's own name, unique in the deployment; the user name if it can be one, and else a
  /// random one.
  public var name: String?
  /// The epoch is at least this: a run that has ended had the one before.
  public var leastEpoch: UInt64?
  /// How wrong the wall clock is, for tests.
  public var clockOffsetSeconds = 0
  /// The name that callers use; gateways with the same one share the requests.
  public var group = "gateway"
  /// How frames are run.
  public var client: ClientConfiguration
  /// Frames under way at once.
  public var framesInFlight = 4
  /// Requests that may wait besides; beyond that they are refused.
  public var waitingRequests = 32
  /// Time between two heartbeats.
  public var heartbeat: Duration = .milliseconds(500)

  /// The defaults for one address.
  public init(address: DeploymentAddress) {
    self.address = address
    client = ClientConfiguration(address: address)
    client.patience = .seconds(10)
  }

  var limits: RPCServerState.Limits {
    var limits = RPCServerState.Limits()
    limits.requestBytes = 16 << 20
    limits.runningCalls = framesInFlight + waitingRequests
    limits.burst = 4096
    limits.callsPerSecond = 10_000
    limits.rememberedCalls = 32_768
    limits.answerBytes = 8 << 20
    return limits
  }
}
