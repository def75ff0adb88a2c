/// What the client wants to receive, and which subscriptions the broker has yet to answer.
///
/// A clean session forgets everything, so the whole book is sent again after each reconnection.
struct SubscriptionBook {
  private(set) var filters: [String: MQTTQuality] = [:]
  /// Filters of SUBSCRIBE packets without an answer, by packet id.
  private(set) var unanswered: [Int32: [String]] = [:]
  private(set) var refused: [String: Int32] = [:]

  mutating func add(_ filter: String, _ quality: MQTTQuality) {
    filters[filter] = quality
    refused[filter] = nil
  }

  mutating func remove(_ filter: String) {
    filters[filter] = nil
    refused[filter] = nil
  }

  mutating func sent(_ id: Int32, _ filters: [String]) { unanswered[id] = filters }

  /// The broker's answer, one reason code per filter. Returns the filters it refused.
  mutating func answered(_ id: Int32, _ codes: [Int32]) -> [(filter: String, code: Int32)] {
    guard let asked = unanswered.removeValue(forKey: id) else { return [] }
    var failures: [(filter: String, code: Int32)] = []
    for (filter, code) in zip(asked, codes) where code >= 128 {
      refused[filter] = code
      failures.append((filter, code))
    }
    return failures
  }

  /// A new connection starts with nothing asked.
  mutating func reset() {
    unanswered = [:]
    refused = [:]
  }
}
