import ArgumentParser
import Foundations
import WireProtocol

/// Which topics of a deployment to look at.
struct TopicOptions: ParsableArguments {
  @Option(
    name: .customLong("topic"), parsing: .singleValue,
    help: ArgumentHelp(
      "A filter below the deployment's root, such as 'metric/#' (may be repeated; default: all).",
      valueName: "filter"))
  var topics: [String] = []

  @Flag(help: "Leave tensors out: most of the bytes, and nothing that a report needs.")
  var noTensors = false

  func validate() throws {
    guard topics.isEmpty || !noTensors else {
      throw ValidationError("give either --topic or --no-tensors")
    }
  }

  /// The full filters.
  func filters(deployment: String) throws(MartletError) -> [String] {
    let root = "martlet/\(TopicRoot.version)/\(try TopicRoot(deployment: deployment).deployment)/"
    let below = topics.isEmpty ? (noTensors ? TopicOptions.texts : ["#"]) : topics
    return below.map { root + $0 }
  }

  /// Everything but `input` and `act`.
  static let texts = [
    "presence/+", "heartbeat/+", "desc/+", "plan", "rpc/#", "reply/#", "metric/#", "result/+",
  ]
}
