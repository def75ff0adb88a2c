import WireProtocol

/// Everything a gateway needs to know besides its plan.
package struct GatewayConfiguration: Sendable {
  /// Where to work.
  package var address: DeploymentAddress
  /// The gateway's own name, unique in the deployment; the user name if it can be one, and else a
  /// random one.
  package var name: String?
  /// The epoch is at least this: a run that has ended had the one before.
  package var leastEpoch: UInt64?
  /// How wrong the wall clock is, for tests.
  package var clockOffsetSeconds = 0
  /// The name that callers use; gateways with the same one share the requests.
  package var group = "gateway"
  /// How frames are run.
  package var client: ClientConfiguration
  /// Frames under way at once.
  package var framesInFlight = 4
  /// Requests that may wait besides; beyond that they are refused.
  package var waitingRequests = 32
  /// Time between two heartbeats.
  package var heartbeat: Duration = .milliseconds(500)

  /// The defaults for one address.
  package init(address: DeploymentAddress) {
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
