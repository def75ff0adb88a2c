package import Foundations

/// Why a part was not there when an exchange ended. The raw values stand in answers.
package enum MissingReason: String, Sendable, Codable, CaseIterable {
  /// It did not come before the deadline.
  case deadline
  /// Its device is gone: its will said so, or it said goodbye.
  case lost
  /// Its device has not been heard of for three beats, or missed a deadline before.
  case suspect
  /// What came could not be used.
  case corrupt
  /// The broker does not let it through.
  case denied
  /// Its device had nothing to compute it from, and said so.
  case null
}

/// One exchange of one frame: which parts are here, which are still waited for, when to go on.
///
/// The gathered value is a row of *slots*, each a set of neurons that any of its *candidates*
/// (device indices, primary first) can fill. A slot is settled once the best candidate that is
/// not down has delivered; a replica that comes before a primary that is still waited for is kept
/// in reserve. Each device is waited for until a deadline of its own. Then every slot takes the best
/// copy that came, and a slot without one is missing. The same copies are used whatever the order of
/// arrival, unless the deadline decides.
///
/// A device may have a limit beyond its deadline: until then it is waited for only while something is
/// lost without it.
package struct GatherState: Sendable {
  /// A set of neurons of the gathered value.
  package struct Slot: Sendable, Equatable {
    /// The elements that a part for this slot must have.
    package var elements: Int
    /// The devices that can deliver it, the primary first, without repeats.
    package var candidates: [Int]

    /// A slot of `elements` elements, to be filled by one of `candidates`.
    package init(elements: Int, candidates: [Int]) {
      self.elements = elements
      self.candidates = candidates
    }
  }

  /// What is known of a device when the exchange begins.
  package struct Device: Sendable, Equatable {
    /// Its epoch; parts of an earlier one are refused. Zero when none is known.
    package var epoch: UInt64
    /// Why it is not waited for; nil when it is.
    package var down: MissingReason?
    /// Whether it is late, and only waited for if something is lost without it.
    package var isDoubted: Bool

    /// A device of that epoch, waited for unless `down` says why not.
    package init(epoch: UInt64 = 0, down: MissingReason? = nil, isDoubted: Bool = false) {
      self.epoch = epoch
      self.down = down
      self.isDoubted = isDoubted
    }
  }

  /// What to do now.
  package enum Decision: Sendable, Equatable {
    /// Nothing before that moment, unless a part or a change of a device comes.
    case wait(until: MonotonicTime)
    /// Every slot has a copy; see `source(of:)`.
    case complete
    /// Go on without these slots, in ascending order; every other one has a copy.
    case degrade(missing: [Missing])
  }

  /// A slot that has no copy.
  package struct Missing: Sendable, Equatable {
    /// The slot's index.
    package var slot: Int
    /// Its primary device.
    package var device: Int
    /// Why the primary did not deliver.
    package var reason: MissingReason

    /// That slot of that device is missing for that reason.
    package init(slot: Int, device: Int, reason: MissingReason) {
      self.slot = slot
      self.device = device
      self.reason = reason
    }
  }

  /// What became of an arriving part; the caller counts those that are not kept.
  package enum Arrival: String, Sendable, CaseIterable {
    /// Keep it: it fills its slot.
    case accepted
    /// Keep it: a replica, used only if no better copy comes.
    case reserve
    /// That device's part is already here.
    case duplicate
    /// The exchange is over, or the frame is an older one.
    case late
    /// It belongs to a later frame: see `FrameInbox`.
    case early
    /// It was sent by an earlier run of its device.
    case staleEpoch
    /// No such device, or not a candidate for that slot.
    case unknownDevice
    /// No such slot, or another number of elements.
    case wrongSize

    /// Whether the part's elements are to be kept for this exchange.
    package var isKept: Bool { self == .accepted || self == .reserve }
  }

  /// The frame whose parts are gathered.
  package let frame: UInt64
  /// The slots, in the order of the gathered value.
  package let slots: [Slot]
  private var devices: [Device]
  /// By device: when it is no longer waited for, unless something is lost without it.
  private var deadlines: [MonotonicTime]
  /// By device: when it is no longer waited for at all.
  private var limits: [MonotonicTime]
  /// Per slot and candidate: whether its copy has come.
  private var arrived: [[Bool]]
  /// Per device: why something it sent could not be used.
  private var refusals: [Int: MissingReason] = [:]
  /// Devices that sent what cannot be used, and will send nothing better.
  private var spoiled: Set<Int> = []
  /// Devices that get no more time, whatever is learned.
  private var settled: Set<Int> = []
  /// Those of them whose part has left them, and got lost if it does not come soon.
  private var losses: Set<Int> = []
  /// Per slot: candidates that delivered the null vector.
  private var nulls: [Int: Set<Int>] = [:]
  private var outcome: Decision?
  /// Devices of which nothing had come when they were no longer waited for at all, once the exchange
  /// is over.
  package private(set) var missedDeadlines: Set<Int> = []
  /// Devices of which nothing had come when their deadline passed, but that would have been waited for
  /// longer if anything were lost without them, once the exchange is over.
  package private(set) var lateButFree: Set<Int> = []
  /// Devices whose part got lost on its way, once the exchange is over.
  package private(set) var lostParts: Set<Int> = []

  /// Begins an exchange in which nothing has come yet.
  ///
  /// Own parts are fed with `receive` like all others, as soon as they are computed; until then
  /// they are waited for (the own device is never down).
  package init(frame: UInt64, slots: [Slot], devices: [Device], deadline: MonotonicTime) {
    self.frame = frame
    self.slots = slots
    self.devices = devices
    deadlines = devices.map { _ in deadline }
    limits = deadlines
    arrived = slots.map { Array(repeating: false, count: $0.candidates.count) }
  }

  /// The final decision, once there is one.
  package var finished: Decision? { outcome }

  /// When one device is no longer waited for. May be set again while waiting, until it is
  /// settled.
  ///
  /// - Parameter limit: how long it is waited for while something is lost without it; the deadline if
  ///   nil.
  package mutating func wait(
    for device: Int, until deadline: MonotonicTime, atMost limit: MonotonicTime? = nil
  ) {
    guard deadlines.indices.contains(device), !settled.contains(device) else { return }
    deadlines[device] = deadline
    limits[device] = max(limit ?? deadline, deadline)
  }

  /// A device is waited for longer, as what it sends is on its way; never shorter.
  package mutating func extend(
    _ device: Int, until deadline: MonotonicTime = .zero, atMost limit: MonotonicTime = .zero
  ) {
    guard deadlines.indices.contains(device), !settled.contains(device) else { return }
    deadlines[device] = max(deadlines[device], deadline)
    limits[device] = max(limits[device], limit, deadlines[device])
  }

  /// A device is waited for until `end` at most, whatever moves.
  ///
  /// - Parameter isLost: whether its part has left it and should be here, so that it is not to blame if that
  ///   does not come.
  package mutating func settle(_ device: Int, by end: MonotonicTime, isLost: Bool) {
    guard deadlines.indices.contains(device), !hasPart(of: device) else { return }
    let isNew = settled.insert(device).inserted
    let isNewLoss = isLost && losses.insert(device).inserted
    guard isNew || isNewLoss else { return }
    deadlines[device] = min(deadlines[device], end)
    limits[device] = min(limits[device], end)
  }

  /// Nobody is waited for longer than until `end`.
  package mutating func stopWaiting(at end: MonotonicTime) {
    for device in deadlines.indices {
      deadlines[device] = min(deadlines[device], end)
      limits[device] = min(limits[device], end)
    }
  }

  /// Everybody gets more time, in nanoseconds, because the receiver could not listen meanwhile.
  package mutating func postpone(by nanoseconds: UInt64) {
    for device in deadlines.indices {
      deadlines[device] = deadlines[device].adding(nanoseconds: nanoseconds)
      limits[device] = limits[device].adding(nanoseconds: nanoseconds)
    }
  }

  /// Whether a device's part would have been used for some slot, and is not there.
  package func lacks(_ device: Int) -> Bool {
    slots.indices.contains { slot in
      guard let rank = slots[slot].candidates.firstIndex(of: device), !hasCopy(slot, rank) else {
        return false
      }
      return !(0..<rank).contains { hasCopy(slot, $0) }
    }
  }

  /// Whether a candidate delivered something else than the null vector.
  private func hasCopy(_ slot: Int, _ rank: Int) -> Bool {
    arrived[slot][rank] && nulls[slot]?.contains(slots[slot].candidates[rank]) != true
  }

  /// Why a device's part is not there.
  package func reason(for device: Int) -> MissingReason {
    guard devices.indices.contains(device) else { return .lost }
    if nulls.values.contains(where: { $0.contains(device) }) { return .null }
    if spoiled.contains(device) { return .corrupt }
    return devices[device].down ?? refusals[device] ?? .deadline
  }

  /// Whether anything has come from a device.
  package func hasPart(of device: Int) -> Bool {
    slots.indices.contains { slot in
      zip(slots[slot].candidates, arrived[slot]).contains { $0 == device && $1 }
    }
  }

  /// The device whose copy fills a slot now: the best that has come, or nil.
  package func source(of slot: Int) -> Int? {
    let candidates = slots[slot].candidates
    return candidates.indices.first { hasCopy(slot, $0) }.map { candidates[$0] }
  }

  /// A part has come, own or from a peer. Afterwards ask `tick` what to do.
  ///
  /// A part of a later epoch than the known one is used: its device has started again and its
  /// presence is still on the way. A part without elements is the null vector: its device is not
  /// waited for any more, and the slot is missing unless another copy comes.
  package mutating func receive(
    slot: Int, from device: Int, frame: UInt64, epoch: UInt64, elements: Int
  ) -> Arrival {
    guard devices.indices.contains(device) else { return .unknownDevice }
    guard epoch >= devices[device].epoch else { return .staleEpoch }
    guard slots.indices.contains(slot), elements == slots[slot].elements || elements == 0 else {
      return .wrongSize
    }
    guard let rank = slots[slot].candidates.firstIndex(of: device) else { return .unknownDevice }
    guard frame <= self.frame else { return .early }
    guard frame == self.frame, outcome == nil else { return .late }
    guard !arrived[slot][rank] else { return .duplicate }
    arrived[slot][rank] = true
    if elements == 0 {
      nulls[slot, default: []].insert(device)
      return .accepted
    }
    let isBest = awaited(in: slot, at: .zero) == nil && source(of: slot) == device
    return isBest ? .accepted : .reserve
  }

  /// Something of a device came for this exchange and could not be used. It is still waited for,
  /// since anybody can publish garbage; the reason is told if nothing better comes.
  package mutating func refuse(device: Int, reason: MissingReason = .corrupt) {
    guard devices.indices.contains(device) else { return }
    refusals[device] = reason
  }

  /// What a device sent for this exchange cannot be used, and it will send nothing better: it is not
  /// waited for.
  package mutating func spoil(device: Int) {
    guard devices.indices.contains(device) else { return }
    spoiled.insert(device)
    if devices[device].down == nil { devices[device].down = .corrupt }
  }

  /// A device is known to be down: it is no longer waited for, and parts that it did send still
  /// count.
  package mutating func deviceDown(_ device: Int, reason: MissingReason) {
    guard devices.indices.contains(device) else { return }
    devices[device].down = reason
  }

  /// A device that was suspect is heard again: it is waited for as before.
  package mutating func deviceBack(_ device: Int) {
    guard devices.indices.contains(device), devices[device].down == .suspect else { return }
    devices[device].down = nil
  }

  /// A device is late elsewhere: it is only waited for if something is lost without it.
  package mutating func deviceDoubted(_ device: Int) {
    if devices.indices.contains(device) { devices[device].isDoubted = true }
  }

  /// The devices whose parts would fill a slot that has no copy, and that are not known to be down.
  package var wanted: Set<Int> {
    var result: Set<Int> = []
    for slot in slots.indices where source(of: slot) == nil {
      for (rank, device) in slots[slot].candidates.enumerated()
      where !arrived[slot][rank] && devices.indices.contains(device)
        && devices[device].down == nil
      {
        result.insert(device)
      }
    }
    return result
  }

  /// What to do now. A decision other than `wait` is final and repeated from then on.
  ///
  /// - Parameter isFree: whether nothing is lost if these slots stay without a copy. Asked once all
  ///   deadlines have passed; a device whose limit has not is then waited for if something is.
  package mutating func tick(
    _ now: MonotonicTime, isFree: ([Int]) -> Bool = { _ in false }
  ) -> Decision {
    if let outcome { return outcome }
    var next: MonotonicTime?
    for slot in slots.indices {
      guard let awaited = awaited(in: slot, at: now) else { continue }
      next = min(next ?? deadlines[awaited], deadlines[awaited])
    }
    if let next { return .wait(until: next) }
    let worthwhile = wanted.map { limits[$0] }.filter { $0 > now }.min()
    if let worthwhile, !isFree(slots.indices.filter { source(of: $0) == nil }) {
      return .wait(until: worthwhile)
    }
    let decision = conclude()
    outcome = decision
    guard deadlines.contains(where: { $0 <= now }) else { return decision }
    for device in Set(slots.lazy.map(\.candidates).joined()) where devices.indices.contains(device)
    {
      guard devices[device].down == nil, now >= deadlines[device], !hasPart(of: device) else {
        continue
      }
      if losses.contains(device) {
        lostParts.insert(device)
      } else if now >= limits[device] {
        missedDeadlines.insert(device)
      } else if !devices[device].isDoubted {
        lateButFree.insert(device)
      }
    }
    return decision
  }

  /// The device whose part would be better than what a slot has, and is still waited for.
  private func awaited(in slot: Int, at now: MonotonicTime) -> Int? {
    for (rank, device) in slots[slot].candidates.enumerated() {
      if arrived[slot][rank] { return nil }
      if devices.indices.contains(device), devices[device].down == nil,
        !devices[device].isDoubted, now < deadlines[device]
      {
        return device
      }
    }
    return nil
  }

  private func conclude() -> Decision {
    var missing: [Missing] = []
    for slot in slots.indices where source(of: slot) == nil {
      let primary = slots[slot].candidates.first ?? -1
      missing.append(Missing(slot: slot, device: primary, reason: reason(for: primary)))
    }
    return missing.isEmpty ? .complete : .degrade(missing: missing)
  }
}
