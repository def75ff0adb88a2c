package import Plan
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
  /// Frames under way at once; nil for what `frames(for:)` says.
  package var framesInFlight: Int?
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

  /// Frames under way at once: four unless told otherwise, or two for each device where each answers
  /// alone.
  package func frames(for plan: Plan) -> Int {
    framesInFlight ?? (plan.dispatchesFrames ? max(4, min(2 * plan.devices.count, 64)) : 4)
  }

  func limits(for plan: Plan) -> RPCServerState.Limits {
    var limits = RPCServerState.Limits()
    limits.requestBytes = 16 << 20
    limits.runningCalls = frames(for: plan) + waitingRequests
    limits.burst = 4096
    limits.callsPerSecond = 10_000
    limits.rememberedCalls = 32_768
    limits.answerBytes = 8 << 20
    return limits
  }
}
