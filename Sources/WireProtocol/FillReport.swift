/// What was missing from the exchanges of one frame, and who went on without it.
///
/// Every part carries what was filled on the way to it, by its sender and by those whose parts its
/// sender used. So an answer says of every device whose work went into it what that device lacked,
/// also when a part reached some devices in time and others not.
package struct FillReport: Sendable, Hashable {
  /// One part that one receiver did not have, so that it was filled there or made up for.
  package struct Lack: Sendable, Hashable {
    /// The number of the exchange in the plan.
    package var exchange: Int
    /// The number of the device whose part it is.
    package var device: Int
    /// The number of the device that went on without it; the client's is the number of devices.
    package var receiver: Int
    /// Why it is missing.
    package var reason: MissingReason
    /// Whether nothing is lost by it, because replicas or parity had come.
    package var isCovered: Bool

    /// Names a part and who lacked it.
    package init(
      exchange: Int, device: Int, receiver: Int, reason: MissingReason, isCovered: Bool = false
    ) {
      self.exchange = exchange
      self.device = device
      self.receiver = receiver
      self.reason = reason
      self.isCovered = isCovered
    }
  }

  /// Which part, whoever lacked it.
  package struct PartID: Sendable, Hashable {
    /// The number of the exchange in the plan.
    package var exchange: Int
    /// The number of the device whose part it is.
    package var device: Int
  }

  /// The longest text, in bytes: what fits into a part's note.
  package static let maximumBytes = TensorHeader.maximumNoteBytes
  /// The most missing parts in a text, each counted for each receiver: bounds what a short text can
  /// make of its reader's memory.
  package static let maximumParts = 1 << 16

  private struct Key: Hashable, Sendable {
    var part: PartID
    var receiver: Int
  }

  private struct Loss: Hashable, Sendable {
    var reason: MissingReason
    var isCovered: Bool

    /// The reason, behind a mark if nothing is lost.
    var text: String { (isCovered ? Self.mark : "") + reason.rawValue }

    private static let mark = "covered."

    init(reason: MissingReason, isCovered: Bool) {
      self.reason = reason
      self.isCovered = isCovered
    }

    init?(text: Substring) {
      isCovered = text.hasPrefix(Self.mark)
      let word = text.dropFirst(isCovered ? Self.mark.count : 0)
      guard let reason = MissingReason(rawValue: String(word)) else { return nil }
      self.reason = reason
    }
  }

  private var losses: [Key: Loss] = [:]
  /// How many missing parts, each counted for each receiver, found no room in a text on the way here;
  /// at least, since several may have left out the same ones.
  package private(set) var omitted = 0

  /// Nothing missing.
  package init() {}

  /// Whether nothing was missing.
  package var isEmpty: Bool { losses.isEmpty && omitted == 0 }

  /// Whether somebody was waited for in vain, so that whoever says so comes late.
  package var blamesDeadline: Bool { losses.values.contains { $0.reason == .deadline } }

  /// The missing parts, also those that others' copies or parity made up for; each at most once for
  /// each receiver.
  package var all: Set<Lack> {
    Set(
      losses.map {
        Lack(
          exchange: $0.key.part.exchange, device: $0.key.part.device, receiver: $0.key.receiver,
          reason: $0.value.reason, isCovered: $0.value.isCovered)
      })
  }

  /// The missing parts that were filled.
  package var fills: Set<Lack> { all.filter { !$0.isCovered } }

  /// The filled parts with those who lacked each.
  package var byPart: [PartID: [Lack]] {
    Dictionary(grouping: fills) { PartID(exchange: $0.exchange, device: $0.device) }
  }

  /// Whether a receiver went on without a device's part.
  package func contains(exchange: Int, device: Int, receiver: Int) -> Bool {
    losses[Key(part: PartID(exchange: exchange, device: device), receiver: receiver)] != nil
  }

  /// Adds a part. The first reason that a receiver gives for it stays.
  package mutating func insert(_ lack: Lack) {
    let key = Key(
      part: PartID(exchange: lack.exchange, device: lack.device), receiver: lack.receiver)
    if losses[key] == nil {
      losses[key] = Loss(reason: lack.reason, isCovered: lack.isCovered)
    }
  }

  /// Adds another device's parts.
  package mutating func merge(_ other: FillReport) {
    losses.merge(other.losses) { first, _ in first }
    omitted = max(omitted, other.omitted)
  }

  /// `reason:devices:exchanges:receivers` (`covered.reason` where nothing is lost) for each reason and
  /// each set of devices that lack the same, separated by commas; empty when nothing is missing. Lists
  /// are joined with dots, `3-7` stands for a run.
  package var text: String { text(maximumBytes: FillReport.maximumBytes) }

  /// The text in at most so many bytes. Where not all fits, what is lost comes before what is covered,
  /// and `omitted:` with the number of parts that are left out stands at the end.
  package func text(
    maximumBytes: Int, maximumParts: Int = FillReport.maximumParts
  ) -> String {
    let groups = groups
    let whole = groups.map { $0.text(of: $0.devices) }.sorted().joined(separator: ",")
    if omitted == 0, whole.utf8.count <= maximumBytes,
      groups.reduce(0, { $0 + $1.devices.count * $1.partsOfEach }) <= maximumParts
    {
      return whole
    }
    var bytes = maximumBytes - FillReport.omission(.max).utf8.count
    var parts = maximumParts
    var omitted = omitted
    var texts: [String] = []
    for group in groups {
      var taken = min(group.devices.count, parts / group.partsOfEach)
      while taken > 0 {
        let text = group.text(of: group.devices.prefix(taken))
        // With the comma behind it.
        if text.utf8.count < bytes {
          texts.append(text)
          bytes -= text.utf8.count + 1
          break
        }
        taken /= 2
      }
      parts -= taken * group.partsOfEach
      omitted += (group.devices.count - taken) * group.partsOfEach
    }
    return (texts.sorted() + [FillReport.omission(omitted)]).joined(separator: ",")
  }

  private static let omissionMark = "omitted"

  private static func omission(_ count: Int) -> String { "\(omissionMark):\(count)" }

  /// Devices whose parts of the same exchanges the same receivers lacked for the same reason.
  private struct Group {
    var loss: Loss
    var devices: [Int]
    /// Exchanges and receivers, as in the text.
    var rest: String
    /// How many parts of each device, each counted for each receiver.
    var partsOfEach: Int

    func text(of devices: some Sequence<Int>) -> String {
      "\(loss.text):\(FillReport.list(Array(devices))):\(rest)"
    }
  }

  /// What the text consists of, in the order in which it is worth its room.
  private var groups: [Group] {
    struct LostPart: Hashable {
      var loss: Loss
      var part: PartID
    }
    struct Row: Hashable {
      var loss: Loss
      var device: Int
      var receivers: [Int]
    }
    struct Pattern: Hashable {
      var loss: Loss
      var exchanges: [Int]
      var receivers: [Int]
    }
    var receivers: [LostPart: [Int]] = [:]
    for (key, loss) in losses {
      receivers[LostPart(loss: loss, part: key.part), default: []].append(key.receiver)
    }
    var rows: [Row: [Int]] = [:]
    for (lost, receivers) in receivers {
      let row = Row(loss: lost.loss, device: lost.part.device, receivers: receivers.sorted())
      rows[row, default: []].append(lost.part.exchange)
    }
    var patterns: [Pattern: [Int]] = [:]
    for (row, exchanges) in rows {
      let pattern = Pattern(
        loss: row.loss, exchanges: exchanges.sorted(), receivers: row.receivers)
      patterns[pattern, default: []].append(row.device)
    }
    let groups = patterns.map { pattern, devices in
      Group(
        loss: pattern.loss, devices: devices.sorted(),
        rest: "\(FillReport.list(pattern.exchanges)):\(FillReport.list(pattern.receivers))",
        partsOfEach: pattern.exchanges.count * pattern.receivers.count)
    }
    func key(_ group: Group) -> (Int, String) {
      (group.loss.isCovered ? 1 : 0, group.text(of: group.devices))
    }
    return groups.sorted { key($0) < key($1) }
  }

  /// Ascending numbers; three or more in a row as a run.
  private static func list(_ numbers: [Int]) -> String {
    var fields: [String] = []
    var start = 0
    while start < numbers.count {
      var end = start
      while end + 1 < numbers.count, numbers[end + 1] == numbers[end] + 1 { end += 1 }
      if end - start >= 2 {
        fields.append("\(numbers[start])-\(numbers[end])")
      } else {
        fields += numbers[start...end].map(String.init)
      }
      start = end + 1
    }
    return fields.joined(separator: ".")
  }

  /// Reads `text` from an untrusted message; nil for anything else than this form with numbers below
  /// the given bounds. A client sends no reports, so a receiver is a device too.
  package init?(text: String, exchanges: Int, devices: Int) {
    guard text.utf8.count <= FillReport.maximumBytes else { return nil }
    var parts = 0
    for group in text.split(separator: ",") {
      let fields = group.split(separator: ":", omittingEmptySubsequences: false)
      if fields.count == 2, fields[0] == FillReport.omissionMark {
        guard let count = Int(fields[1]), (1...Int(Epoch.maximum)).contains(count) else {
          return nil
        }
        omitted = max(omitted, count)
        continue
      }
      guard fields.count == 4, let loss = Loss(text: fields[0]),
        let lost = FillReport.numbers(fields[1], below: devices),
        let layers = FillReport.numbers(fields[2], below: exchanges),
        let receivers = FillReport.numbers(fields[3], below: devices)
      else { return nil }
      // The factors are bounded by the text's length and the bounds given.
      parts += lost.count * layers.count * receivers.count
      guard parts <= FillReport.maximumParts else { return nil }
      for device in lost {
        for exchange in layers {
          for receiver in receivers {
            insert(
              Lack(
                exchange: exchange, device: device, receiver: receiver, reason: loss.reason,
                isCovered: loss.isCovered))
          }
        }
      }
    }
  }

  /// Ascending numbers below a bound.
  private static func numbers(_ text: Substring, below bound: Int) -> [Int]? {
    var result: [Int] = []
    for field in text.split(separator: ".", omittingEmptySubsequences: false) {
      let ends = field.split(separator: "-", omittingEmptySubsequences: false)
      guard (1...2).contains(ends.count), let first = Int(ends[0]),
        let last = Int(ends[ends.count - 1]),
        (0..<bound).contains(first), (first..<bound).contains(last),
        result.last.map({ $0 < first }) ?? true
      else { return nil }
      result += first...last
    }
    return result
  }
}
