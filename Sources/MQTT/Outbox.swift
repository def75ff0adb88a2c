/// The book of publishes that are accepted but not yet written (QoS 0) or acknowledged (QoS 1).
///
/// libmosquitto's own queue has no bound, so this one refuses before the library is asked. A value
/// type without locks: the client's lock guards it.
struct Outbox {
  struct Entry {
    var bytes: Int
    var quality: MQTTQuality
    var topic: String
  }

  /// QoS 1 messages accepted while there was no connection, in order.
  private(set) var waiting: [MQTTMessage] = []
  private var entries: [Int32: Entry] = [:]
  private(set) var bytes = 0
  /// Ids that the library reported as written before the call that published them returned.
  private var early: [Int32] = []
  private var publishing = false

  var count: Int { entries.count + waiting.count }
  var isEmpty: Bool { entries.isEmpty && waiting.isEmpty }

  /// Packet ids have 16 bits, so that many messages can be told apart; half of it leaves a margin.
  static let maximumMessages = 32_768

  /// What one message costs: its bytes and about what the library adds for each.
  static func cost(payload: Int, topic: String) -> Int { payload + topic.utf8.count + 96 }

  func hasRoom(for cost: Int, within budget: Int) -> Bool {
    count < Self.maximumMessages && cost <= budget - bytes
  }

  /// To be called before the library is asked to publish.
  mutating func willPublish() {
    publishing = true
    early.removeAll(keepingCapacity: true)
  }

  /// The library took the message under `id`; it may have been written already.
  mutating func didPublish(_ id: Int32, _ entry: Entry) {
    publishing = false
    if let index = early.firstIndex(of: id) {
      early.remove(at: index)
      return
    }
    entries[id] = entry
    bytes += entry.bytes
  }

  /// The library did not take the message.
  mutating func publishFailed() { publishing = false }

  /// The library has written (QoS 0) or seen acknowledged (QoS 1) a message.
  mutating func finished(_ id: Int32) -> Entry? {
    if let entry = entries.removeValue(forKey: id) {
      bytes -= entry.bytes
      return entry
    }
    if publishing { early.append(id) }
    return nil
  }

  mutating func append(_ message: MQTTMessage) {
    waiting.append(message)
    bytes += Self.cost(payload: message.payload.count, topic: message.topic)
  }

  /// Takes the messages that waited for a connection.
  mutating func takeWaiting() -> [MQTTMessage] {
    let messages = waiting
    waiting = []
    for message in messages {
      bytes -= Self.cost(payload: message.payload.count, topic: message.topic)
    }
    return messages
  }

  /// Forgets all messages that the library has. Returns how many.
  mutating func dropAll() -> Int {
    let count = entries.count
    for entry in entries.values { bytes -= entry.bytes }
    entries = [:]
    return count
  }

  /// Forgets the QoS 0 messages, which die with the connection. Returns how many.
  mutating func dropUnwritten() -> Int {
    let lost = entries.filter { $0.value.quality == .atMostOnce }
    for (id, entry) in lost {
      entries[id] = nil
      bytes -= entry.bytes
    }
    return lost.count
  }
}
