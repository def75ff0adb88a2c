import ArgumentParser
import Foundations
import JSONCoding
import Processes
import Runtime
import TensorFiles
import WireProtocol

/// `martlet call`: one remote call.
struct Call: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Calls a method of a device or of the gateways.",
    discussion: """
      Prints the result as JSON, the items of a stream one a line. Every device answers health/check,
      device/describe and device/stats; one whose worker was started with --allow-faults also
      device/fault; a gateway answers inference/infer. What else a device offers stands in its
      device/describe. Status 0 means OK; any other status of gRPC is printed and becomes an exit
      status of this program: 64 INVALID_ARGUMENT, 65 UNIMPLEMENTED, 66 NOT_FOUND, 69 UNAVAILABLE,
      74 INTERNAL, 75 DEADLINE_EXCEEDED or RESOURCE_EXHAUSTED, 77 PERMISSION_DENIED.

      Examples:
        martlet call health/check d0 --broker HOST
        martlet call device/stats d0 '{"count":10,"every_ms":500}' --broker HOST --deadline 10s
        martlet call device/fault d0 '{"kind":"drop","fraction":0.2,"for_ms":5000}' --broker HOST
        martlet call inference/infer gateway --file photo.jpg --broker HOST
      """)

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var log: LogOptions

  @Argument(help: "What to call, as SERVICE/METHOD.")
  var method: String

  @Argument(help: "The device, or the name of a group of gateways.")
  var target: String

  @Argument(help: "The request, as JSON.")
  var request: String?

  @Option(help: "Send this file as the request: JPEG, PNG or safetensors.", completion: .file())
  var file: String?

  @Option(help: "How long to wait for the end of the answer.")
  var deadline = TimeArgument(.seconds(5), "5s")

  @Option(help: "Send the request again after this long without an answer.")
  var resendAfter: TimeArgument?

  @Option(name: .customLong("metadata"), help: "What else to say, as NAME=VALUE; may be repeated.")
  var metadata: [String] = []

  @Option(name: .customLong("as"), help: "The name that replies are addressed to.")
  var name: String?

  @Option(help: "How long to try to reach the broker.")
  var patience = TimeArgument(.seconds(10), "10s")

  @Flag(help: "Print one object a message, with the sender beside the result.")
  var json = false

  func validate() throws {
    guard RPCMethod(parsing: method) != nil else {
      throw ValidationError("write the method as SERVICE/METHOD, such as health/check")
    }
    guard Identifier.isValid(target) else {
      throw ValidationError("a target is 1 to 32 of the characters a-z, 0-9, _ and -")
    }
    guard request == nil || file == nil else {
      throw ValidationError("give a JSON request or --file, not both")
    }
    guard metadata.allSatisfy({ $0.contains("=") }) else {
      throw ValidationError("write --metadata as NAME=VALUE")
    }
    guard deadline.duration >= .milliseconds(1), deadline.duration <= .seconds(600) else {
      throw ValidationError("--deadline must be 1ms to 10min")
    }
  }

  func run() throws {
    guard let method = RPCMethod(parsing: method) else { return }
    var call = RPCClient.Call(method, target: target)
    call.body = try body()
    call.deadline = deadline.duration
    call.resendAfter = resendAfter?.duration
    for pair in metadata {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      call.metadata[String(parts[0])] = String(parts[1])
    }
    let client = try RPCClient(
      address: try broker.address(), name: name, logger: try log.logger("martlet.call"))
    defer { client.close() }
    let stop = client.stopper
    let signals = try TerminationSignals { _ in stop() }
    defer { signals.stop() }
    try client.connect(timeout: patience.duration)
    try client.call(call) { body, from throws(MartletError) in
      let shown = JSONValue.object([.init("from", .string(from)), .init("body", body)])
      try Terminal.printJSON(json ? shown : body)
    }
  }

  private func body() throws(MartletError) -> RPCBody {
    if let file {
      let bytes = try FileSystem.read(file, limit: Call.maximumFileBytes)
      return .bytes(bytes, type: ContentType(of: bytes).rawValue)
    }
    guard let request else { return .none }
    do throws(MartletError) {
      return .json(try JSON.decode(JSONValue.self, from: request, source: "the request"))
    } catch {
      throw MartletError(.invalidArgument, error.description)
    }
  }

  /// More than this no broker that is set up as in `broker-config` passes on.
  private static let maximumFileBytes = 15 << 20
}
