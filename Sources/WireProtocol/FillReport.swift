/// What was missing from the exchanges of one frame, and who went on without it.
///
/// Every part carries what was filled on the way to it, by its sender and by those whose parts its
/// sender used. So an answer says of every device whose work went into it what that device lacked,
/// also when a part reached some devices in time and others not.
public struct FillReport: Sendable, Hashable {
  /// One part that one receiver filled instead of receiving it.
  public struct Fill: Sendable, Hashable {
    /// The number of the exchange in the plan.
    public var exchange: Int
    /// The number of the device whose part it is.
    public var device: Int
    /// The number of the device that went on without it; the client's is the number of devices.
    public var receiver: Int
    /// Why it is missing.
    public var reason: MissingReason
    /// Whether nothing is lost by it, because replicas or parity had come.
    public var isCovered: Bool

    /// Names a part and who lacked it.
    public init(
      exchange: Int, device: Int, receiver: Int, reason: MissingReason, isCovered: Bool = false
    ) {
      self.exchange = exchange
      self.device = device
      self.receiver = receiver
      self.reason = reason
      self.isCovered = isCovered
    }
  }

  /// A part, whoever lacked it.
  public struct Part: Sendable, Hashable {
    /// The number of the exchange in the plan.
    public var exchange: Int
    /// The number of the device whose part it is.
    public var device: Int
  }

  /// The longest text accepted, in bytes.
  public static let maximumBytes = 8192

  private struct Key: Hashable, Sendable {
    var part: Part
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

  /// Nothing missing.
  public init() {}

  /// Whether nothing was missing.
  public var isEmpty: Bool { losses.isEmpty }

  /// Whether somebody was waited for in vain, so that whoever says so comes late.
  public var blamesDeadline: Bool { losses.values.contains { $0.reason == .deadline } }

  /// The missing parts, also those that others' copies or parity made up for; each at most once for
  /// each receiver.
  public var all: Set<Fill> {
    Set(
      losses.map {
        Fill(
          exchange: $0.key.part.exchange, device: $0.key.part.device, receiver: $0.key.receiver,
          reason: $0.value.reason, isCovered: $0.value.isCovered)
      })
  }

  /// The missing parts that were filled.
  public var fills: Set<Fill> { all.filter { !$0.isCovered } }

  /// The filled parts with those who lacked each.
  public var byPart: [Part: [Fill]] {
    Dictionary(grouping: fills) { Part(exchange: $0.exchange, device: $0.device) }
  }

  /// Whether a receiver went on without a device's part.
  public func contains(exchange: Int, device: Int, receiver: Int) -> Bool {
    losses[Key(part: Part(exchange: exchange, device: device), receiver: receiver)] != nil
  }

  /// Adds a part. The first reason that a receiver gives for it stays.
  public mutating func insert(_ fill: Fill) {
    let key = Key(
      part: Part(exchange: fill.exchange, device: fill.device), receiver: fill.receiver)
    if losses[key] == nil {
      losses[key] = Loss(reason: fill.reason, isCovered: fill.isCovered)
    }
  }

  /// Adds another device's parts.
  public mutating func merge(_ other: FillReport) {
    losses.merge(other.losses) { first, _ in first }
  }

  /// `reason:device:exchange.exchange…:receiver.receiver…` (`covered.reason` where nothing is lost) for each reason, device and set of
  /// receivers, separated by commas; empty when nothing is missing.
  public var text: String {
    struct Group: Hashable {
      var loss: Loss
      var device: Int
      var receivers: [Int]
    }
    struct LostPart: Hashable {
      var loss: Loss
      var part: Part
    }
    var receivers: [LostPart: [Int]] = [:]
    for (key, loss) in losses {
      receivers[LostPart(loss: loss, part: key.part), default: []].append(key.receiver)
    }
    var groups: [Group: [Int]] = [:]
    for (lost, receivers) in receivers {
      let group = Group(
        loss: lost.loss, device: lost.part.device, receivers: receivers.sorted())
      groups[group, default: []].append(lost.part.exchange)
    }
    func list(_ numbers: [Int]) -> String {
      numbers.sorted().map(String.init).joined(separator: ".")
    }
    return groups.map { group, exchanges in
      "\(group.loss.text):\(group.device):\(list(exchanges)):\(list(group.receivers))"
    }.sorted().joined(separator: ",")
  }

  /// Reads `text` from an untrusted message; nil for anything else than this form with numbers below
  /// the given bounds. A client sends no reports, so a receiver is a device too.
  public init?(text: String, exchanges: Int, devices: Int) {
    guard text.utf8.count <= FillReport.maximumBytes else { return nil }
    for group in text.split(separator: ",") {
      let fields = group.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 4, let loss = Loss(text: fields[0]),
        let device = Int(fields[1]), (0..<devices).contains(device),
        let losses = FillReport.numbers(fields[2], below: exchanges),
        let receivers = FillReport.numbers(fields[3], below: devices)
      else { return nil }
      for exchange in losses {
        for receiver in receivers {
          insert(
            Fill(
              exchange: exchange, device: device, receiver: receiver, reason: loss.reason,
              isCovered: loss.isCovered))
        }
      }
    }
  }

  private static func numbers(_ text: Substring, below bound: Int) -> [Int]? {
    var result: [Int] = []
    for field in text.split(separator: ".", omittingEmptySubsequences: false) {
      guard let number = Int(field), (0..<bound).contains(number) else { return nil }
      result.append(number)
    }
    return result
  }
}
