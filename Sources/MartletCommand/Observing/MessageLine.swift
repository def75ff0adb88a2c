import Glibc
package import Inspection
package import Recording
import Tables
import Tensors
package import WireProtocol

/// One line for people about one message.
package enum MessageLine {
  /// The most columns of a payload's text.
  package static let maximumColumns = 2000

  /// When it came, topic, age, size and what the payload says.
  ///
  /// - Parameter clock: the time of day in words.
  package static func text(
    _ message: RecordedMessage, _ reading: MessageReading, root: TopicRoot, clock: String
  ) -> StyledText {
    var line = StyledText(clock + "  ", .dim)
    line.append(TopicSelection.short(message.topic, root: root), .bold)
    line.append("  \(age(message, reading.topic))  \(message.payload.count.asBytes)  ", .dim)
    switch reading.content {
    case .empty: line.append("empty", .dim)
    case .tensor(let tensor): append(tensor, to: &line)
    case .json(let value):
      if !JSONText.append(value, to: &line, limit: line.width + maximumColumns) {
        line.append(" …", .dim)
      }
      if reading.attachedBytes > 0 { line.append(" and \(reading.attachedBytes.asBytes)", .dim) }
    case .text(let text):
      let start = text.prefix(maximumColumns)
      line.append("text ", .dim)
      line.append(String(start))
      if start.utf8.count < message.payload.count { line.append(" …", .dim) }
    case .bytes(let bytes):
      line.append("bytes ", .dim)
      line.append(hexadecimal(bytes.prefix(shownBytes)))
      if message.payload.count > shownBytes { line.append(" …", .dim) }
    }
    if let flaw = reading.flaw { line.append("  not as its topic says: \(flaw)", .bad) }
    return line
  }

  /// How long ago it was published: `live`, or for one that the broker had kept as well as its
  /// expiry tells.
  package static func age(_ message: RecordedMessage, _ topic: Topic?) -> String {
    guard message.isRetained else { return "live" }
    return ageSeconds(message, topic).map { "\($0) s old" } ?? "retained"
  }

  /// The age of a message that the broker had kept; nil where nothing tells it.
  package static func ageSeconds(_ message: RecordedMessage, _ topic: Topic?) -> Int? {
    guard message.isRetained, case .presence = topic, let left = message.expirySeconds,
      left <= Presence.expirySeconds
    else { return nil }
    return Int(Presence.expirySeconds - left)
  }

  /// The time of day of a message here, with milliseconds.
  ///
  /// - Parameter time: nanoseconds since 1970.
  static func clock(_ time: UInt64) -> String {
    var seconds = time_t(time / 1_000_000_000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    func digits(_ value: Int, _ count: Int) -> String {
      let text = "\(value)"
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    return digits(Int(parts.tm_hour), 2) + ":" + digits(Int(parts.tm_min), 2) + ":"
      + digits(Int(parts.tm_sec), 2) + "." + digits(Int(time / 1_000_000 % 1000), 3)
  }

  static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static let shownBytes = 48

  private static func append(_ tensor: MessageReading.TensorReading, to line: inout StyledText) {
    let header = tensor.header
    line.append("frame \(header.frame)", .number)
    line.append(" stage \(header.stage)")
    if tensor.chunks > 1 { line.append(" chunk \(tensor.chunk + 1)/\(tensor.chunks)") }
    line.append("  \(header.shape) \(tensor.elementType.rawValue)", .name)
    line.append("  " + figures(tensor.statistics))
    line.append("  epoch \(header.epoch) plan \(header.plan)", .dim)
    if !header.client.isEmpty { line.append(" client \(header.client)", .dim) }
    if !header.note.isEmpty { line.append("  note \(header.note.prefix(200))", .warning) }
  }

  /// `min -1.2 mean 0.03 max 4.5, 41.2 % zero`
  static func figures(_ statistics: TensorStatistics) -> String {
    var text = "no finite element"
    if let minimum = statistics.minimum, let mean = statistics.mean,
      let maximum = statistics.maximum
    {
      text =
        "min \(short(Double(minimum))) mean \(short(mean)) max \(short(Double(maximum)))"
    }
    if let share = statistics.zeroShare { text += ", \((share * 100).formatted(1)) % zero" }
    if statistics.notFinite > 0 { text += ", \(statistics.notFinite) not finite" }
    return text
  }

  /// Four digits or so.
  private static func short(_ value: Double) -> String {
    switch value.magnitude {
    case 0: "0"
    case 0.001..<10: value.formatted(4)
    case 10..<100_000: value.formatted(2)
    default: "\(Float(value))"
    }
  }
}
