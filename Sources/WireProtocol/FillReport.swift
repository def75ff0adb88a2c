/// What was missing from the exchanges of one frame: travels with the last parts, so that the client
/// can say what an answer lacks.
public struct FillReport: Sendable, Hashable {
  /// One part that was filled instead of received.
  public struct Fill: Sendable, Hashable {
    /// The number of the exchange in the plan.
    public var exchange: Int
    /// The number of the device whose part it is.
    public var device: Int
    /// Why it is missing.
    public var reason: MissingReason

    /// Names a part.
    public init(exchange: Int, device: Int, reason: MissingReason) {
      self.exchange = exchange
      self.device = device
      self.reason = reason
    }
  }

  /// The longest text accepted, in bytes.
  public static let maximumBytes = 8192

  /// The missing parts; each at most once.
  public private(set) var fills: Set<Fill> = []

  /// Nothing missing.
  public init() {}

  /// Adds a part. The first reason given for it stays.
  public mutating func insert(_ fill: Fill) {
    let known = fills.contains { $0.exchange == fill.exchange && $0.device == fill.device }
    if !known { fills.insert(fill) }
  }

  /// Adds another device's parts.
  public mutating func merge(_ other: FillReport) {
    for fill in other.fills { insert(fill) }
  }

  /// `reason:device:exchange.exchange…` for each reason and device, separated by commas; empty when
  /// nothing is missing.
  public var text: String {
    struct Group: Hashable {
      var reason: String
      var device: Int
    }
    let groups = Dictionary(grouping: fills) {
      Group(reason: $0.reason.rawValue, device: $0.device)
    }
    return groups.map { group, fills in
      let exchanges = fills.map(\.exchange).sorted().map(String.init).joined(separator: ".")
      return "\(group.reason):\(group.device):\(exchanges)"
    }.sorted().joined(separator: ",")
  }

  /// Reads `text` from an untrusted message; nil for anything else than this form with numbers below
  /// the given bounds.
  public init?(text: String, exchanges: Int, devices: Int) {
    guard text.utf8.count <= FillReport.maximumBytes else { return nil }
    for group in text.split(separator: ",") {
      let fields = group.split(separator: ":")
      guard fields.count == 3, let reason = MissingReason(rawValue: String(fields[0])),
        let device = Int(fields[1]), (0..<devices).contains(device)
      else { return nil }
      for number in fields[2].split(separator: ".") {
        guard let exchange = Int(number), (0..<exchanges).contains(exchange) else { return nil }
        insert(Fill(exchange: exchange, device: device, reason: reason))
      }
    }
  }
}
