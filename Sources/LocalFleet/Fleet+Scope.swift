package import Foundations
import MQTT
package import Plan
package import Processes
package import Runtime

extension Fleet {
  /// Where a fleet meets: a deployment on a broker.
  package struct Site: Sendable {
    /// Where clients work.
    package var address: DeploymentAddress
    /// The options with which the worker of a device reaches the same deployment.
    package var workerAccess: @Sendable (String) -> [String]

    /// A deployment on a broker.
    package init(address: DeploymentAddress, workerAccess: @escaping @Sendable (String) -> [String])
    {
      self.address = address
      self.workerAccess = workerAccess
    }

    /// The default deployment on a broker of our own.
    package init(_ broker: EmbeddedBroker) throws(MartletError) {
      let socket = broker.socketAddress
      address = DeploymentAddress(
        broker: MQTTConfiguration(
          address: try BrokerAddress(parsing: socket), clientIDPrefix: "local"))
      workerAccess = { _ in ["--broker", socket] }
    }
  }
}

/// Runs `body` with a fleet at a broker that is there already. Whether `body` returns or throws, be
/// it for a failure or because it was cancelled, every process of the fleet has ended afterwards.
///
/// Where the user may stop the program, `body` is to throw then; see `TerminationSignals`. A process
/// that ends by a signal takes its children along, too.
///
/// - Parameter plan: reads or makes the plan, in the fleet's folder.
package func withFleet<Result>(
  _ settings: Fleet.Settings = .init(), plan: (String) throws -> PlanFolder, at site: Fleet.Site,
  _ body: (Fleet) throws -> Result
) throws -> Result {
  try TemporaryFolder.with(prefix: "martlet-fleet") { folder in
    let fleet = try Fleet(settings, plan: try plan(folder), site: site, folder: folder)
    defer { fleet.stop() }
    return try body(fleet)
  }
}

/// Runs `body` with a fleet and a broker of its own, and ends both afterwards.
///
/// - Parameter plan: reads or makes the plan, in the fleet's folder.
package func withFleet<Result>(
  _ settings: Fleet.Settings = .init(), plan: (String) throws -> PlanFolder,
  _ body: (Fleet, EmbeddedBroker) throws -> Result
) throws -> Result {
  try withEmbeddedBroker(extraConfiguration: settings.brokerConfiguration) { broker in
    try withFleet(settings, plan: plan, at: try Fleet.Site(broker)) { try body($0, broker) }
  }
}
