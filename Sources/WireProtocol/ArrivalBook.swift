package import Foundations

/// When the parts of each exchange began to be expected and how late they came: says how long to wait
/// for which peer, and whether a part that came would have been waited for.
///
/// The lag of a part is the time from the moment at which the own part was ready (for a client, which
/// has none, from the first part) to its arrival; zero if it was there before. Where something of its
/// device is seen to move meanwhile, the lag is the longest time in which nothing was: a wait is for what
/// stands still, however long a slow link takes. Late parts are learned
/// from as well, even when the exchange went on without them: otherwise a deadline that is too short
/// would never notice. That holds for single ones, and for a peer that goes on being late. A device that
/// comes back from a stall is late a few times in a row, with all that has piled up, and nothing is
/// learned from it: otherwise its stall would be what is waited for the next time.
package struct ArrivalBook: Sendable {
  /// How a part came.
  package enum Timing: Sendable, Equatable {
    /// Within what its device would have been given.
    case inTime
    /// Later than that.
    case late
    /// For a frame that is not remembered (any more).
    case unknown
  }

  /// Samples without which the ceiling is waited for.
  static let minimumSamples = 8
  /// The adaptive wait is this quantile of the lags, times `margin`. The few longest lags say how bad it
  /// once was, not how late the peer usually is. In recorded runs on two busy cores (load 5, 54,000
  /// parts of AlexNet) two in ten thousand came later than that.
  static let quantile = 0.98
  static let margin: UInt64 = 4
  /// The first parts of a peer's run in an exchange are not learned from: memory and caches are cold.
  static let coldParts = 4
  /// Late parts in a row after which a peer is slow, and no longer just catching up.
  static let catchingUp = 8
  /// Frames whose beginnings are remembered, to know how late a part is that nobody waited for.
  static let rememberedFrames = 64

  /// Deadlines that a peer's parts of one exchange may miss, with none of them ever coming, before they
  /// are held to be kept back by the broker. A peer that is gone misses one; only one that shows with
  /// other parts that it works is waited for again.
  package static let misses = 3

  private struct Frame: Sendable {
    var key: FrameKey
    /// By exchange.
    var beginnings: [Int: MonotonicTime] = [:]
  }

  /// How late one peer's parts of one exchange come.
  private struct Habit: Sendable {
    var lag = ArrivalLag()
    private var coldParts = 0
    /// Late parts since one was in time, not counting those that had piled up.
    private var lateInARow = 0
    private var lastLate = MonotonicTime.zero
    /// The lag of a single late part, which counts if the next one is in time.
    private var single: UInt64?
    /// Whether the peer has been late several times and not been as early as usual since.
    private var isBehind = false
    private var epoch: UInt64 = 0

    /// A part of a run of the peer; every run begins cold.
    mutating func follow(epoch: UInt64) {
      guard epoch != self.epoch else { return }
      self.epoch = epoch
      coldParts = 0
    }

    /// Learns from a part that was in time.
    mutating func inTime(_ nanoseconds: UInt64) {
      if let single { record(single) }
      single = nil
      lateInARow = 0
      if isBehind {
        guard nanoseconds <= lag.quantile(ArrivalBook.quantile) ?? .max else { return }
        isBehind = false
      }
      record(nanoseconds)
    }

    /// Learns from a part that came late at `now`.
    mutating func late(_ nanoseconds: UInt64, at now: MonotonicTime, limit: UInt64) {
      // Its exchange began before the last late part came: they were kept back together.
      let hasPiledUp = now.nanoseconds(since: lastLate) < nanoseconds
      lastLate = now
      single = nil
      if !hasPiledUp { lateInARow += 1 }
      guard !hasPiledUp, lateInARow == 1 || lateInARow > ArrivalBook.catchingUp else {
        isBehind = true
        return
      }
      // What is later than any wait says nothing about how long to wait.
      guard nanoseconds <= limit else { return }
      if lateInARow == 1 { single = nanoseconds } else { record(nanoseconds) }
    }

    private mutating func record(_ nanoseconds: UInt64) {
      guard coldParts == ArrivalBook.coldParts else {
        coldParts += 1
        return
      }
      lag.record(nanoseconds)
    }
  }

  /// Whether a wait is for something to move, rather than for as long as was asked for.
  package var followsMovement: Bool {
    switch policy {
    case .adaptive, .consequence: true
    case .fixed, .every: false
    }
  }

  /// How the waits are chosen.
  package let policy: DeadlinePolicy
  /// The longest wait, in nanoseconds: parts are many.
  package let longest: UInt64
  private let floor: UInt64
  private let devices: Int
  /// By exchange times devices plus device.
  private var habits: [Int: Habit] = [:]
  /// The newest last.
  private var frames: [Frame] = []
  /// By exchange times devices plus device: deadlines missed since a part came.
  private var missed: [Int: Int] = [:]

  /// Nothing has been learned.
  ///
  /// - Parameter devices: how many there are in the plan.
  package init(policy: DeadlinePolicy, devices: Int) {
    self.policy = policy
    self.devices = devices
    longest = policy.longest.nanoseconds
    floor =
      switch policy {
      case .adaptive(let floor, _), .consequence(let floor, _): floor.nanoseconds
      case .fixed, .every: longest
      }
  }

  /// An exchange of a frame began to wait.
  package mutating func began(_ exchange: Int, of key: FrameKey, at now: MonotonicTime) {
    let position: Int
    if let known = remembered(key) {
      position = known
    } else {
      if frames.count >= Self.rememberedFrames { frames.removeFirst() }
      frames.append(Frame(key: key))
      position = frames.count - 1
    }
    if frames[position].beginnings[exchange] == nil {
      frames[position].beginnings[exchange] = now
    }
  }

  /// A part came; learns how late it was.
  ///
  /// - Parameters:
  ///   - epoch: the run of its device.
  ///   - isAhead: whether its exchange, if not begun, is still to come.
  ///   - isDelayed: whether its frame was delayed by somebody who was waited for in vain: then its lag
  ///     says nothing about its device.
  ///   - stillness: for how long nothing of its device was seen to move at most while it was waited for, in
  ///     nanoseconds: its lag, if that is known.
  package mutating func arrived(
    _ exchange: Int, from device: Int, epoch: UInt64 = 0, of key: FrameKey, isAhead: Bool,
    isDelayed: Bool = false, stillness: UInt64? = nil, at now: MonotonicTime
  ) -> Timing {
    let index = exchange * devices + device
    let wasMissed = missed.removeValue(forKey: index) != nil
    let beginning = remembered(key).flatMap { frames[$0].beginnings[exchange] }
    guard beginning != nil || isAhead else { return .unknown }
    let lag = stillness ?? beginning.map { now.nanoseconds(since: $0) } ?? 0
    let granted = wait(for: device, in: exchange)
    if isDelayed, !wasMissed { return lag <= granted ? .inTime : .late }
    habits[index, default: Habit()].follow(epoch: epoch)
    if lag <= granted {
      habits[index, default: Habit()].inTime(lag)
      return .inTime
    }
    habits[index, default: Habit()].late(lag, at: now, limit: longest)
    return .late
  }

  /// The receiver could not listen for some nanoseconds: no part is later by them.
  package mutating func postpone(by nanoseconds: UInt64) {
    for index in frames.indices {
      frames[index].beginnings = frames[index].beginnings.mapValues {
        $0.adding(nanoseconds: nanoseconds)
      }
    }
  }

  /// How long an exchange waits for a device, in nanoseconds.
  package func wait(for device: Int, in exchange: Int) -> UInt64 {
    guard floor < longest, let lag = habits[exchange * devices + device]?.lag,
      lag.samples >= Self.minimumSamples,
      let usual = lag.quantile(Self.quantile)
    else { return longest }
    return max(floor, min(Self.margin * usual, longest))
  }

  /// A peer's part of an exchange did not come before its deadline.
  ///
  /// - Returns: whether its parts of the exchange are held to be kept back from now on.
  @discardableResult
  package mutating func missedDeadline(of device: Int, in exchange: Int) -> Bool {
    guard policy.raisesSuspicion else { return false }
    missed[exchange * devices + device, default: 0] += 1
    return missed[exchange * devices + device] == Self.misses
  }

  /// Whether the broker seems not to let a living peer's parts of an exchange through.
  package func isBarred(_ device: Int, in exchange: Int) -> Bool {
    missed[exchange * devices + device] ?? 0 >= Self.misses
  }

  private func remembered(_ key: FrameKey) -> Int? {
    frames.lastIndex { $0.key.frame == key.frame && $0.key.client == key.client }
  }
}
