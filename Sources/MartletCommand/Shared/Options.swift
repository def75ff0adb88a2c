import ArgumentParser
import Foundations
import Glibc
import Logging
import MQTT
import Runtime
import TensorFiles
import Tensors

/// How to reach the broker.
struct BrokerOptions: ParsableArguments {
  @Option(help: BrokerOptions.help)
  var broker: String

  @OptionGroup var access: BrokerAccessOptions

  static let help = ArgumentHelp(
    "The broker: HOST, mqtts://HOST:PORT, mqtt://127.0.0.1:PORT or unix:/path.", valueName: "url")

  /// The deployment that is meant.
  var deployment: String { access.deployment ?? BrokerAccessOptions.standardDeployment }

  /// The configuration that these options describe.
  func address() throws(MartletError) -> DeploymentAddress { try access.address(broker: broker) }
}

/// Everything about the broker but where it is.
struct BrokerAccessOptions: ParsableArguments {
  /// The deployment that is meant without `--deployment`.
  static let standardDeployment = "default"

  @Option(help: "Separates deployments that share a broker (default: default).")
  var deployment: String?

  @Option(help: "User name at the broker.")
  var username: String?

  @Option(
    help: "A file with the password on its first line; without it $MARTLET_PASSWORD is used.",
    completion: .file())
  var passwordFile: String?

  @Option(help: "PEM file of the authorities to trust.", completion: .file())
  var caFile: String?

  @Option(help: "PEM file with this client's certificate.", completion: .file())
  var cert: String?

  @Option(help: "PEM file with the certificate's key.", completion: .file())
  var key: String?

  @Flag(help: "Allow an unencrypted connection beyond this machine.")
  var allowPlaintext = false

  /// Whether none of them is given.
  var isEmpty: Bool {
    deployment == nil && username == nil && passwordFile == nil && caFile == nil && cert == nil
      && key == nil && !allowPlaintext
  }

  /// The same as arguments of another `martlet` that is to reach the same broker. The password of
  /// `$MARTLET_PASSWORD` goes with the environment.
  func arguments(broker: String) -> [String] {
    var arguments = ["--broker", broker]
    let options = [
      ("--deployment", deployment), ("--username", username), ("--password-file", passwordFile),
      ("--ca-file", caFile), ("--cert", cert), ("--key", key),
    ]
    for case (let name, let value?) in options { arguments += [name, value] }
    return allowPlaintext ? arguments + ["--allow-plaintext"] : arguments
  }

  /// The configuration that these options describe.
  func address(broker: String) throws(MartletError) -> DeploymentAddress {
    var address = try BrokerAddress(parsing: broker)
    if let username { address.username = username }
    if let passwordFile {
      let text = try FileSystem.readText(passwordFile, limit: 4096)
      address.password = text.split(whereSeparator: \.isNewline).first.map(String.init)
    } else if let password = getenv("MARTLET_PASSWORD") {
      address.password = String(cString: password)
    }
    var configuration = MQTTConfiguration(address: address)
    configuration.tls.authorityFile = caFile
    configuration.tls.certificateFile = cert
    configuration.tls.keyFile = key
    configuration.allowsPlaintext = allowPlaintext
    return DeploymentAddress(
      broker: configuration, deployment: deployment ?? BrokerAccessOptions.standardDeployment)
  }
}

/// How tensors travel.
struct WireOptions: ParsableArguments {
  @Option(
    help: """
      Element type on the wire: \(WireType.summary). As the plan says unless given, and f32 where it \
      says nothing (martlet plan --wire). Images always travel as they are.
      """)
  var wire: WireType?

  @Option(help: "Tensors above this many bytes travel in chunks.")
  var chunkBytes = 262_144

  var settings: WireSettings {
    WireSettings(elementType: wire?.elementType, chunkBytes: chunkBytes)
  }

  /// How inputs travel that are no images.
  var inputType: ElementType { wire?.elementType ?? .float32 }

  static let deflateHelp: ArgumentHelp = """
    Deflate the pixels of frames: about a third less to send, for some milliseconds of work everywhere; \
    for links below some 50 Mbit/s.
    """
}

extension WireType: ExpressibleByArgument {}

/// What to log.
struct LogOptions: ParsableArguments {
  @Option(help: "Log level: trace, debug, info, notice, warning, error.")
  var logLevel = "info"

  func logger(_ label: String) throws -> Logger {
    guard let level = Logger.Level(rawValue: logLevel) else {
      throw ValidationError("--log-level must be trace, debug, info, notice, warning or error")
    }
    var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = level
    return logger
  }
}

/// A time such as `250ms` or `30s` on the command line.
struct TimeArgument: ExpressibleByArgument, CustomStringConvertible {
  let duration: Duration
  let description: String

  init(_ duration: Duration, _ description: String) {
    self.duration = duration
    self.description = description
  }

  init?(argument: String) {
    let units: [(String, Double)] = [("us", 1e-6), ("ms", 1e-3), ("s", 1), ("min", 60)]
    for (unit, seconds) in units where argument.hasSuffix(unit) {
      guard let value = Double(argument.dropLast(unit.count)), value >= 0, value.isFinite,
        value * seconds < 1e7
      else { continue }
      self.init(.nanoseconds(Int64(value * seconds * 1e9)), argument)
      return
    }
    return nil
  }

  var defaultValueDescription: String { description }
}
