import Foundations
import Plan
import Planning
import Tables

/// Predictions, for people and for programs.
struct PredictionReport: Encodable {
  struct Peer: Encodable {
    var name: String
    var computing: Double
    var processor: Double
    var bytesSent: Double
    var bytesReceived: Double
    var memoryBytes: Int

    private enum CodingKeys: String, CodingKey {
      case name
      case computing = "compute_ms"
      case processor = "processor_ms"
      case bytesSent = "link_bytes_sent"
      case bytesReceived = "link_bytes_received"
      case memoryBytes = "memory_bytes"
    }

    init(_ name: String, _ peer: CostPrediction.Peer) {
      self.name = name
      computing = peer.computing * 1e3
      processor = peer.processor * 1e3
      bytesSent = peer.bytesSent.rounded()
      bytesReceived = peer.bytesReceived.rounded()
      memoryBytes = peer.memoryBytes
    }
  }

  struct Loss: Encodable {
    /// The largest share of a layer's neurons that is lost with one device.
    var share: Double
    var latency: Double

    private enum CodingKeys: String, CodingKey {
      case share = "largest_share_of_a_layer"
      case latency = "latency_ms"
    }
  }

  struct Candidate: Encodable {
    var method: String
    var latency: Double
    var framesPerSecond: Double
    var narrowest: String
    var exchanges: Int
    var brokerBytes: Double
    var devices: [Peer]
    var client: Peer
    var loss: Loss?

    private enum CodingKeys: String, CodingKey {
      case method
      case latency = "latency_ms"
      case framesPerSecond = "frames_per_s"
      case narrowest, exchanges
      case brokerBytes = "broker_link_bytes"
      case devices, client
      case loss = "one_lost"
    }

    init(_ entry: PlanComparison.Entry) {
      let prediction = entry.prediction
      let devices = entry.made.plan.devices
      method = entry.name
      latency = prediction.latency * 1e3
      framesPerSecond = prediction.framesPerSecond
      narrowest = prediction.narrowestText(devices)
      exchanges = prediction.exchanges
      brokerBytes = prediction.brokerBytes.rounded()
      self.devices = zip(devices, prediction.devices).map { Peer($0.name, $1) }
      client = Peer("client", prediction.client)
      loss = entry.loss.map { Loss(share: entry.lostShare, latency: $0.latency * 1e3) }
    }
  }

  struct Alone: Encodable {
    var device: String
    var latency: Double
    var framesPerSecond: Double
    var memoryBytes: Int

    private enum CodingKeys: String, CodingKey {
      case device
      case latency = "latency_ms"
      case framesPerSecond = "frames_per_s"
      case memoryBytes = "memory_bytes"
    }
  }

  var goal: String
  var candidates: [Candidate]
  var leftOut: [PlacementCollection.LeftOut]
  var alone: Alone?
  /// Whether no plan is better than one device alone.
  var isBestAlone: Bool
  var summary: String

  private enum CodingKeys: String, CodingKey {
    case goal, candidates
    case leftOut = "left_out"
    case alone
    case isBestAlone = "one_device_is_best"
    case summary
  }

  init(_ comparison: PlanComparison, goal: PlanGoal) {
    self.goal = goal.rawValue
    candidates = comparison.entries.map(Candidate.init)
    leftOut = comparison.leftOut
    let devices = comparison.entries.first?.made.plan.devices ?? []
    alone = comparison.alone.map {
      Alone(
        device: devices[$0.device].name, latency: $0.latency * 1e3,
        framesPerSecond: $0.framesPerSecond, memoryBytes: $0.memoryBytes)
    }
    isBestAlone = comparison.isBestAlone(for: goal)
    summary = comparison.summary(for: goal)
  }

  /// A table and a line.
  var text: String {
    var table = TextTable(
      "predicted", "latency", "frames/s", "link, most", "broker's link", "memory, most", "one lost",
      "narrowest")
    for candidate in candidates {
      let busiest = candidate.devices.map { $0.bytesSent + $0.bytesReceived }.max() ?? 0
      table.add(
        candidate.method, Self.milliseconds(candidate.latency),
        candidate.framesPerSecond.formatted(1), busiest.asBytes, candidate.brokerBytes.asBytes,
        (candidate.devices.map(\.memoryBytes).max() ?? 0).asBytes,
        candidate.loss.map {
          ($0.share > 0 ? "\(($0.share * 100).formatted(0)) % of a layer, " : "nothing, ")
            + Self.milliseconds($0.latency)
        } ?? "-", candidate.narrowest)
    }
    if let alone {
      table.add(
        "one device alone", Self.milliseconds(alone.latency), alone.framesPerSecond.formatted(1),
        "-", "-", alone.memoryBytes.asBytes, "all", "the processor of \(alone.device)")
    }
    let others = leftOut.map { "not compared: \($0.name), \($0.reason)" }
    return ([table.text] + others + [summary]).joined(separator: "\n")
  }

  private static func milliseconds(_ value: Double) -> String {
    value.formatted(value < 10 ? 2 : 1) + " ms"
  }
}
