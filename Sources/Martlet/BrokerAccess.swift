import Foundations
import MQTT
import Runtime

/// Where a broker is, how to get in, and which deployment at it is meant.
public struct BrokerAccess: Sendable {
  /// How the broker's certificate is checked, and which one this program shows; for addresses that
  /// begin with `mqtts`.
  public struct TLS: Sendable, Hashable {
    /// A PEM file of the authorities to trust; nil trusts those of the operating system.
    public var authorityFile: String?
    /// A PEM file with this program's certificate, for brokers that ask for one.
    public var certificateFile: String?
    /// A PEM file with the key of ``certificateFile``.
    public var keyFile: String?

    /// The operating system's authorities, and no certificate of one's own, unless told otherwise.
    public init(
      authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil
    ) {
      self.authorityFile = authorityFile
      self.certificateFile = certificateFile
      self.keyFile = keyFile
    }
  }

  /// Separates deployments that share a broker, in `[a-z0-9_-]{1,32}`.
  public var deployment: String
  /// The user name at the broker, if it wants one.
  public var username: String?
  /// The password; never part of ``description``.
  public var password: String?
  /// How TLS is checked.
  public var tls = TLS()
  /// Allows an unencrypted connection beyond this machine.
  public var allowsPlaintext = false

  private let address: BrokerAddress

  /// Parses an address; nothing is sent.
  ///
  /// - Parameters:
  ///   - url: `mqtts://host:port` (TLS), `mqtt://host:port`, `unix:/path/to/socket` or `host`; with
  ///     `user:password@` before the host where wanted. The port is 1883, or 8883 with TLS, unless
  ///     given.
  ///   - deployment: several deployments that share a broker have different ones.
  /// - Throws: ``MartletError/Code/invalidArgument``, with a message that never repeats a password.
  public init(_ url: String, deployment: String = "default") throws(MartletError) {
    address = try wrappingErrors { () throws(Foundations.MartletError) in
      _ = try Identifier.check(deployment, what: "deployment")
      return try BrokerAddress(parsing: url)
    }
    self.deployment = deployment
    username = address.username
    password = address.password
  }

  var deploymentAddress: DeploymentAddress {
    var address = address
    address.username = username
    address.password = password
    var configuration = MQTTConfiguration(address: address)
    configuration.tls.authorityFile = tls.authorityFile
    configuration.tls.certificateFile = tls.certificateFile
    configuration.tls.keyFile = tls.keyFile
    configuration.allowsPlaintext = allowsPlaintext
    return DeploymentAddress(broker: configuration, deployment: deployment)
  }
}

extension BrokerAccess: CustomStringConvertible, CustomReflectable {
  /// The address and the deployment, without user name and password.
  public var description: String { "\(address) \(deployment)" }
  /// Shows what ``description`` says, so that `dump` does not show a password.
  public var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}
