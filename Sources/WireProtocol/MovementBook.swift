package import Foundations

/// What is seen of tensors that move: pieces of them that come here, and what devices say in their
/// heartbeats that they have received and sent. As long as something moves, what is waited for may only
/// be slow.
package struct MovementBook: Sendable {
  private struct Mover: Sendable {
    /// What it said last.
    var said: UInt64?
    var last: MonotonicTime?
    /// From when and which count on the rate is taken, and the highest so far, in bytes a second.
    var since = MonotonicTime.zero
    var base: UInt64 = 0
    var rate: Double?
  }

  /// Over less than this a rate says little, in nanoseconds.
  static let rateWindow: UInt64 = 1_000_000_000

  private var movers: [Mover]
  /// Bytes that came here, and that devices said that they moved, all together.
  package private(set) var total: UInt64 = 0
  /// When anything moved last; nil before.
  package private(set) var last: MonotonicTime?
  /// Counts movements, for whoever looks at them later.
  package private(set) var count = 0

  /// - Parameter devices: how many there are in the plan.
  package init(devices: Int) { movers = Array(repeating: Mover(), count: devices) }

  /// When a device's tensors moved last; nil if they were not seen to.
  package func last(of device: Int) -> MonotonicTime? { movers[device].last }

  /// The most bytes a second that a device was seen to move; nil if it did not say.
  package func rate(of device: Int) -> Double? { movers[device].rate }

  /// Whether anybody says what it moves.
  package var isTold: Bool { movers.contains { $0.said != nil } }

  /// A tensor of a device, or a piece of one, came here.
  package mutating func came(_ bytes: Int, from device: Int, at now: MonotonicTime) {
    movers[device].last = now
    moved(UInt64(bytes), at: now)
  }

  /// Something moved over the connection here, in or out, of which it is not known whose it is.
  package mutating func passed(at now: MonotonicTime) {
    if last.map({ now > $0 }) ?? true { moved(0, at: now) }
  }

  /// A device said how many bytes of tensors it has received and sent, in all; nil if it does not say.
  package mutating func said(_ bytes: UInt64?, by device: Int, at now: MonotonicTime) {
    guard let bytes else { return }
    guard let before = movers[device].said, bytes >= before else {
      // The first word of a run.
      movers[device].said = bytes
      movers[device].since = now
      movers[device].base = bytes
      return
    }
    movers[device].said = bytes
    let span = now.nanoseconds(since: movers[device].since)
    if span >= Self.rateWindow {
      let rate = Double(bytes - movers[device].base) * 1e9 / Double(span)
      movers[device].rate = max(movers[device].rate ?? 0, rate)
      movers[device].since = now
      movers[device].base = bytes
    }
    guard bytes > before else { return }
    movers[device].last = now
    moved(bytes - before, at: now)
  }

  /// Whether what has moved since `total` stood at `mark` may still be the frames that somebody waits for:
  /// others may be served while one's own are lost.
  package func mayConcern(_ bytes: UInt64, since mark: UInt64) -> Bool {
    total >= mark && total - mark <= bytes
  }

  private mutating func moved(_ bytes: UInt64, at now: MonotonicTime) {
    total = total.addingReportingOverflow(bytes).partialValue
    last = max(last ?? now, now)
    count += 1
  }
}
