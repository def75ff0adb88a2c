package import Foundations
import ModelGraph
package import Plan
import Tensors
import WireProtocol

/// Messages that nobody may use: random bytes, mutilated messages, and messages that are right but
/// for one thing. A pure function of the seed.
///
/// Nothing here is forged: no message is valid under a device's present epoch. Against forgery the
/// broker's access list protects, not the receiver.
package struct Garbage: Sendable {
  private let plan: Plan
  private let planID: String
  private let root: TopicRoot
  private let clients: [String]
  private var random: SeededGenerator

  /// - Parameter clients: ids of clients whose input topics are written to, too.
  /// - Throws: `invalidArgument` when the deployment's name is none.
  package init(
    seed: UInt64, plan: Plan, planID: String, deployment: String, clients: [String]
  ) throws(MartletError) {
    self.plan = plan
    self.planID = planID
    self.clients = clients + ["garbage"]
    root = try TopicRoot(deployment: deployment)
    random = SeededGenerator(seed: seed)
  }

  /// The next message.
  package mutating func next() -> (topic: String, payload: [UInt8]) {
    let topic = self.topic()
    let path = (try? root.path(topic)) ?? ""
    switch Int.random(in: 0..<4, using: &random) {
    case 0: return (path, bytes(below: 2048))
    case 1: return (path, mutilated(message(for: topic)))
    default: return (path, message(for: topic))
    }
  }

  private mutating func topic() -> Topic {
    let device = plan.devices.randomElement(using: &random)?.name ?? "d0"
    switch Int.random(in: 0..<10, using: &random) {
    case 0...4:
      return .activation(
        layer: plan.exchanges.randomElement(using: &random)?.id ?? "none", device: device)
    case 5: return .input(client: clients.randomElement(using: &random) ?? "garbage")
    case 6:
      return .input(
        client: clients.randomElement(using: &random) ?? "garbage", device: device)
    case 7: return .presence(device: device)
    case 8: return .heartbeat(device: device)
    default: return .description(device: device)
    }
  }

  private mutating func message(for topic: Topic) -> [UInt8] {
    switch topic {
    case .activation(let layer, let device): return tensor(layer: layer, device: device, client: "")
    case .input(let client, _): return tensor(layer: "", device: client, client: client)
    default: return Array(text().utf8)
    }
  }

  /// JSON that misses the contract.
  private mutating func text() -> String {
    let texts = [
      // Of an epoch long gone.
      #"{"state":"lost","epoch":1,"heartbeat_ms":500,"version":"0"}"#,
      #"{"state":"ready","epoch":1,"heartbeat_ms":500,"version":"0"}"#,
      #"{"epoch":1,"seq":1,"frame":1,"queue":0,"rss_bytes":1}"#,
      // Out of range, of the wrong type, unfinished.
      #"{"state":"ready","epoch":0,"heartbeat_ms":500,"version":"0"}"#,
      #"{"state":"ready","epoch":99007199254740993,"heartbeat_ms":500,"version":"0"}"#,
      #"{"state":"ready","epoch":-5,"heartbeat_ms":500,"version":"0"}"#,
      #"{"state":"ready","epoch":1e300,"heartbeat_ms":1,"version":"0"}"#,
      #"{"state":"gone","epoch":1700000000000,"heartbeat_ms":500,"version":"0"}"#,
      #"{"state":"lost","epoch":"1700000000000","heartbeat_ms":500,"version":"0"}"#,
      #"{"epoch":1,"seq":-1,"frame":1,"queue":99999999999999999999,"rss_bytes":1}"#,
      #"{"plan":"","methods":[],"parts":null}"#, "null", "[]", "{", "\u{0}", "",
      String(repeating: "[", count: 3000), String(repeating: "9", count: 3000),
    ]
    return texts.randomElement(using: &random) ?? ""
  }

  /// A tensor that is right but for one thing; always of epoch 1, which no device has.
  private mutating func tensor(layer: String, device: String, client: String) -> [UInt8] {
    let point = plan.exchanges.first { $0.id == layer }
    var shape = point?.shape ?? plan.graph[plan.graph.inputs[0]].shape
    if let point, point.shape[point.axis] > 1 {
      shape = shape.replacing(axis: point.axis, with: point.shape[point.axis] / 2)
    }
    let flaw = Int.random(in: 0..<7, using: &random)
    // On an input topic nothing but the flaw would keep a frame from being computed.
    let isOfAnotherPlan = flaw == 0 || (layer.isEmpty && flaw != 1)
    guard
      var header = try? TensorHeader(
        frame: flaw == 4 ? Epoch.maximum : .random(in: 0...5000, using: &random),
        stage: point?.stage ?? 0, epoch: 1, plan: isOfAnotherPlan ? "another" : planID,
        client: client.isEmpty ? clients[0] : client, layer: flaw == 2 ? "nowhere" : layer,
        device: flaw == 1 ? "nobody" : device, shape: flaw == 3 ? Shape([1, 1]) : shape)
    else { return [] }
    if flaw == 5 { header.note = "lost:99:99:99" }
    let values = [Float](repeating: .nan, count: header.shape.count)
    guard var encoder = try? TensorEncoder(elementType: .float32, chunkBytes: 4096) else {
      return []
    }
    var messages: [[UInt8]] = []
    values.withUnsafeBufferPointer { values in
      encoder.encode(header, values) { messages.append($0) }
    }
    return messages.randomElement(using: &random) ?? []
  }

  /// Some bytes changed, or the end cut off.
  private mutating func mutilated(_ message: [UInt8]) -> [UInt8] {
    var message = message
    guard !message.isEmpty else { return message }
    if Bool.random(using: &random) {
      return Array(message.prefix(Int.random(in: 0..<message.count, using: &random)))
    }
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      // Mostly in the header.
      let index = Int.random(in: 0..<min(message.count, 400), using: &random)
      message[index] = .random(in: .min ... .max, using: &random)
    }
    return message
  }

  private mutating func bytes(below limit: Int) -> [UInt8] {
    (0..<Int.random(in: 0..<limit, using: &random)).map { _ in
      .random(in: .min ... .max, using: &random)
    }
  }
}
