import Foundations

/// The book of publishes that are accepted but not yet written (QoS 0) or acknowledged (QoS 1).
///
/// libmosquitto's own queue has no bound, so this one refuses before the library is asked. A value
/// type without locks: the client's lock guards it.
struct Outbox {
  struct Entry {
    var bytes: Int
    var quality: MQTTQuality
    var topic: String
    var lane: MQTTLane
  }

  /// QoS 1 messages accepted while there was no connection, in order.
  private(set) var waiting: [MQTTMessage] = []
  private var entries: [Int32: Entry] = [:]
  private(set) var bytes = 0
  /// Tensors, of which the library has few at a time.
  private(set) var bulk = BulkLane()
  /// Ids that the library reported as written before the call that published them returned.
  private var early: [Int32] = []
  private var publishing = false

  var count: Int { entries.count + waiting.count + bulk.count }
  var isEmpty: Bool { entries.isEmpty && waiting.isEmpty && bulk.isEmpty }

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
  mutating func didPublish(_ id: Int32, _ entry: Entry, at now: MonotonicTime) {
    publishing = false
    if let index = early.firstIndex(of: id) {
      early.remove(at: index)
      if entry.lane == .bulk { bulk.wrote(entry.bytes, waited: false, at: now) }
      return
    }
    entries[id] = entry
    bytes += entry.bytes
    if entry.lane == .bulk { bulk.waits(entry.bytes, at: now) }
  }

  /// Takes a first guess of how fast the connection is, in bytes a second.
  mutating func suppose(_ rate: Double) { bulk.suppose(rate) }

  /// A message of the bulk lane is published while nothing waits, here or in the system.
  mutating func flows() { bulk.flows() }

  /// Whether a message of the bulk lane has to wait here.
  var mustWait: Bool { !bulk.isEmpty || !bulk.isOpen }

  /// A message was accepted.
  mutating func accepted(_ lane: MQTTLane) {
    if lane == .bulk { bulk.accept() }
  }

  /// Keeps a message of the bulk lane until those before it are written.
  mutating func appendBulk(_ message: MQTTMessage) {
    bulk.append(message)
    bytes += Self.cost(payload: message.payload.count, topic: message.topic)
  }

  /// The next message of the bulk lane for the library, if it is to have one.
  mutating func takeBulk() -> MQTTMessage? {
    guard let message = bulk.next() else { return nil }
    bytes -= Self.cost(payload: message.payload.count, topic: message.topic)
    return message
  }

  /// The library did not take a message of the bulk lane.
  mutating func loseBulk() { bulk.lose() }

  /// The library did not take the message.
  mutating func publishFailed() { publishing = false }

  /// The library has written (QoS 0) or seen acknowledged (QoS 1) a message.
  mutating func finished(_ id: Int32, at now: MonotonicTime) -> Entry? {
    if let entry = entries.removeValue(forKey: id) {
      bytes -= entry.bytes
      if entry.lane == .bulk { bulk.wrote(entry.bytes, waited: true, at: now) }
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
    return count + dropBulk()
  }

  /// Forgets the bulk lane. Returns how many messages of it the library did not have.
  private mutating func dropBulk() -> Int {
    let lost = bulk.drop()
    for message in lost {
      bytes -= Self.cost(payload: message.payload.count, topic: message.topic)
    }
    return lost.count
  }

  /// Forgets the QoS 0 messages, which die with the connection. Returns how many.
  mutating func dropUnwritten() -> Int {
    let lost = entries.filter { $0.value.quality == .atMostOnce }
    for (id, entry) in lost {
      entries[id] = nil
      bytes -= entry.bytes
    }
    return lost.count + dropBulk()
  }
}
