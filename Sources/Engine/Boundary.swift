package import Foundations
package import WireProtocol

/// What one frame waits for between two stages, and until when. One value serves a frame's boundaries
/// one after the other, and keeps what an earlier one taught for the later ones.
///
/// Knows the exchanges' slots and devices, and neither graphs nor elements: whoever owns it copies the
/// parts.
package struct Boundary: Sendable {
  /// From when on parts are waited for.
  package enum WaitStart: Sendable, Equatable {
    /// From the moment at which one's own part is ready (a worker).
    case ownPart
    /// From the first part that arrives, and never longer than the limit in nanoseconds (a client,
    /// which cannot know how long the devices compute).
    case firstPart(limit: UInt64)
  }

  /// How much one device's part of an exchange has.
  package struct PartSize: Sendable, Equatable {
    /// What it supplies of one slot.
    package struct Piece: Sendable, Equatable {
      package var slot: Int
      package var elements: Int

      package init(slot: Int, elements: Int) {
        self.slot = slot
        self.elements = elements
      }
    }

    package var device: Int
    /// Of the whole part.
    package var elements: Int
    package var pieces: [Piece]

    package init(device: Int, elements: Int, pieces: [Piece]) {
      self.device = device
      self.elements = elements
      self.pieces = pieces
    }
  }

  /// What is to come for an exchange that is gathered at a boundary: of whom, and for which slots.
  package struct Expectation: Sendable, Equatable {
    /// The exchange's number in the plan.
    package var number: Int
    /// The stage that the exchange ends, as the plan counts them.
    package var stage: Int?
    /// Whether its parts are whole blocks, which may be null.
    package var isWhole: Bool
    package var slots: [GatherState.Slot]
    /// By ascending device, of which each has one.
    package var parts: [PartSize]

    package init(
      number: Int, stage: Int?, isWhole: Bool = false, slots: [GatherState.Slot], parts: [PartSize]
    ) {
      self.number = number
      self.stage = stage
      self.isWhole = isWhole
      self.slots = slots
      self.parts = parts
    }
  }

  /// A device that was waited for in vain.
  package struct Miss: Hashable, Sendable {
    package var exchange: Int
    package var device: Int
    /// Whether nothing was lost by it, so that it was not waited for as long as it would be worth.
    package var wasFree: Bool
    /// Whether its part got lost on the way, which is not the device's fault.
    package var wasLost: Bool

    package init(exchange: Int, device: Int, wasFree: Bool = false, wasLost: Bool = false) {
      self.exchange = exchange
      self.device = device
      self.wasFree = wasFree
      self.wasLost = wasLost
    }
  }

  /// What became of a part.
  package struct Receipt: Sendable, Equatable {
    /// Nil for a part that nobody needs, because others stand in for its device.
    package var arrival: GatherState.Arrival?
    /// Which of the part's pieces to copy to their places.
    package var used: [Int] = []
  }

  /// How one exchange ended.
  package struct Ending: Sendable, Equatable {
    /// A part that would have been used and is not there.
    package struct Lack: Sendable, Equatable {
      package var device: Int
      package var reason: MissingReason

      package init(device: Int, reason: MissingReason) {
        self.device = device
        self.reason = reason
      }
    }

    /// Slots without a copy.
    package var missing: [Int]
    package var lacks: [Lack]

    package init(missing: [Int] = [], lacks: [Lack] = []) {
      self.missing = missing
      self.lacks = lacks
    }
  }

  /// How the boundary stands.
  package enum Progress: Sendable, Equatable {
    /// Nothing will happen before `until`, unless parts arrive.
    case waiting(until: MonotonicTime)
    /// It is over: how its exchanges ended, in order, and how long they took; nil if it had none.
    case complete([Ending], waited: Duration?)
  }

  /// For how long what a boundary waits for may stand still, in nanoseconds, and did.
  struct Patience: Sendable {
    /// A device's own tensors.
    var own: UInt64
    /// All tensors, while something is lost without the device; nil where that makes no difference.
    var all: UInt64?
    /// Since when nothing of the device has moved, and whether anything had before.
    var since: MonotonicTime
    var hasMoved = false
    /// The longest time in which nothing of it moved.
    var stillness: UInt64 = 0

    mutating func moved(at moment: MonotonicTime) {
      guard moment > since else { return }
      stillness = max(stillness, moment.nanoseconds(since: since))
      since = moment
      hasMoved = true
    }
  }

  /// An exchange in progress.
  struct Gather: Sendable {
    let expectation: Expectation
    var state: GatherState
    /// For a client: whether a part has come.
    var hasBegun = false
    /// By device.
    var patience: [Int: Patience] = [:]
  }

  let key: FrameKey
  let waiting: WaitStart
  /// When the frame began.
  let started: MonotonicTime
  /// From when on a peer's silence counts: the beginning, and what this process was away later.
  package private(set) var listeningSince: MonotonicTime
  /// Whether somebody was waited for in vain, here or at a peer: others may come as late as a whole
  /// deadline from then on.
  package internal(set) var isDelayed = false
  /// Whether the frame ends before its deadlines because its caller is in a hurry, which raises no
  /// suspicion of devices.
  package var isHurried = false
  /// For a client: whether nobody was alive when the frame was sent or since, so that it may be lost.
  package var isDoubtful = false
  /// When the frame ends, whatever is missing or moves.
  let end: MonotonicTime
  /// For a client: when the frame ends if nothing has come for it at all; see `expectNothing`.
  private(set) var emptyEnd = MonotonicTime.distantFuture
  var gathers: [Gather] = []
  /// When the exchanges in progress began; nil between boundaries.
  private(set) var entered: MonotonicTime?
  /// The stage before the last boundary, as the plan counts them.
  var stage = -1
  /// How many of the plan's stages lie between the last boundaries, of which this device may have
  /// fewer: those before it may wait after each.
  var stages: UInt64 = 1
  /// Devices known to be down, and since which epoch the others live.
  var devices: [GatherState.Device]
  /// Devices that fell silent during the frame.
  var silenced: Set<Int> = []
  /// Devices whose parts came before their boundary and cannot be used, by exchange.
  private var spoiled: [Int: Set<Int>] = [:]
  /// Since the last call of `takeMissed`.
  private var missed: Set<Miss> = []

  /// A frame begins.
  ///
  /// - Parameter end: when it ends, whatever is missing.
  package init(
    key: FrameKey, waiting: WaitStart, devices: [GatherState.Device], now: MonotonicTime,
    until end: MonotonicTime = .distantFuture
  ) {
    self.key = key
    self.waiting = waiting
    self.devices = devices
    self.end = end
    started = now
    listeningSince = now
  }

  /// Whether no exchange is in progress.
  package var isEmpty: Bool { gathers.isEmpty }

  /// Where an exchange stands among those in progress; nil if it is not.
  package func position(of exchange: Int) -> Int? {
    gathers.firstIndex { $0.expectation.number == exchange }
  }

  /// For how long nothing of a device moved at most since its part of an exchange is waited for, in
  /// nanoseconds; nil if nothing has. A client waits for nobody in particular before the first part.
  package func stillness(of device: Int, in exchange: Int, at now: MonotonicTime) -> UInt64? {
    guard let index = position(of: exchange), waiting == .ownPart || gathers[index].hasBegun,
      let patience = gathers[index].patience[device], patience.hasMoved
    else { return nil }
    return max(patience.stillness, now.nanoseconds(since: patience.since))
  }

  /// Devices whose parts are lacking now and not given up.
  package var awaited: Set<Int> {
    gathers.reduce(into: []) { result, gather in
      if gather.state.finished == nil { result.formUnion(gather.state.wanted) }
    }
  }

  // MARK: Beginning and end

  /// A stage has run, and some exchanges are to be gathered before the next. Own parts and those that
  /// were early come right afterwards.
  ///
  /// - Parameter keptBack: devices whose parts do not come although they work; see `DeliveryBook`.
  package mutating func enter(
    _ expectations: [Expectation], now: MonotonicTime, book: inout ArrivalBook,
    keptBack: Set<Int> = []
  ) {
    entered = expectations.isEmpty ? nil : now
    countStages(expectations)
    gathers = expectations.map {
      Gather(
        expectation: $0,
        state: GatherState(
          frame: key.frame, slots: $0.slots, devices: devices, deadline: .distantFuture))
    }
    for index in gathers.indices {
      // Where they are waited for all the same: what is kept back is not late.
      for part in gathers[index].expectation.parts where keptBack.contains(part.device) {
        gathers[index].state.refuse(device: part.device, reason: .denied)
      }
      setWaits(index, entered: now, book: &book)
      for device in spoiled.removeValue(forKey: gathers[index].expectation.number) ?? [] {
        gathers[index].state.spoil(device: device)
      }
    }
  }

  /// Ends the boundary if it is complete or given up, at `now`.
  ///
  /// - Parameter isFree: whether the exchange in that place loses nothing if these slots stay without a
  ///   copy.
  package mutating func progress(
    now: MonotonicTime, isFree: (_ index: Int, _ slots: [Int]) -> Bool
  ) -> Progress {
    if now >= end { isHurried = true }
    var next = MonotonicTime.distantFuture
    for index in gathers.indices {
      switch gathers[index].state.tick(now, isFree: { isFree(index, $0) }) {
      case .wait(let until): next = min(next, until)
      case .complete, .degrade: break
      }
    }
    guard gathers.allSatisfy({ $0.state.finished != nil }) else { return .waiting(until: next) }
    let endings = gathers.map { end($0) }
    let waited = entered.map { now.duration(since: $0) }
    gathers = []
    entered = nil
    return .complete(endings, waited: waited)
  }

  private mutating func end(_ gather: Gather) -> Ending {
    let expectation = gather.expectation
    let (gone, late) = (gather.state.missedDeadlines, gather.state.lateButFree)
    missed.formUnion(gone.map { Miss(exchange: expectation.number, device: $0) })
    missed.formUnion(late.map { Miss(exchange: expectation.number, device: $0, wasFree: true) })
    let lost = gather.state.lostParts
    missed.formUnion(lost.map { Miss(exchange: expectation.number, device: $0, wasLost: true) })
    if !gone.isEmpty || !late.isEmpty || !lost.isEmpty { isDelayed = true }
    return Ending(
      missing: expectation.slots.indices.filter { gather.state.source(of: $0) == nil },
      lacks: expectation.parts.filter { gather.state.lacks($0.device) }.map {
        Ending.Lack(device: $0.device, reason: gather.state.reason(for: $0.device))
      })
  }

  /// Devices that were waited for in vain since the last call.
  package mutating func takeMissed() -> Set<Miss> {
    guard !missed.isEmpty else { return [] }
    defer { missed = [] }
    return isHurried ? [] : missed
  }

  // MARK: Parts

  /// A part came for the exchange in that place.
  ///
  /// - Parameter elements: how many it has; none is the null vector.
  package mutating func receive(
    _ index: Int, from device: Int, epoch: UInt64, elements: Int, now: MonotonicTime,
    book: ArrivalBook
  ) -> Receipt {
    beginWaiting(index, now: now, book: book)
    let expectation = gathers[index].expectation
    guard let part = expectation.parts.first(where: { $0.device == device }) else {
      return Receipt(arrival: nil)
    }
    let isNull = elements == 0 && expectation.isWhole
    guard isNull || elements == part.elements else { return Receipt(arrival: .wrongSize) }
    var receipt = Receipt()
    for (number, piece) in part.pieces.enumerated() {
      let arrival = gathers[index].state.receive(
        slot: piece.slot, from: device, frame: key.frame, epoch: epoch,
        elements: isNull ? 0 : piece.elements)
      if receipt.arrival != .accepted { receipt.arrival = arrival }
      // A copy that is worse than one that is here already must not overwrite it.
      if arrival.isKept, gathers[index].state.source(of: piece.slot) == device {
        receipt.used.append(number)
      }
    }
    return receipt
  }

  /// The own part for the exchange in that place is ready.
  ///
  /// - Parameter isNull: whether it is the null vector.
  package mutating func receiveOwn(_ index: Int, from device: Int, isNull: Bool = false) {
    guard let part = gathers[index].expectation.parts.first(where: { $0.device == device }) else {
      return
    }
    for piece in part.pieces {
      _ = gathers[index].state.receive(
        slot: piece.slot, from: device, frame: key.frame, epoch: devices[device].epoch,
        elements: isNull ? 0 : piece.elements)
    }
  }

  /// Something on an exchange's topic could not be used.
  package mutating func refuse(_ exchange: Int, device: Int) {
    if let index = position(of: exchange) { gathers[index].state.refuse(device: device) }
  }

  /// What a device sent for an exchange, in progress or still to come, cannot be used: it is not waited
  /// for there.
  package mutating func spoil(_ exchange: Int, device: Int) {
    if let index = position(of: exchange) {
      gathers[index].state.spoil(device: device)
    } else {
      spoiled[exchange, default: []].insert(device)
    }
  }

  /// The input may be lost, for nobody was there when it was sent: unless a part comes, the frame ends
  /// at `end`. No device is to blame for that.
  package mutating func expectNothing(after end: MonotonicTime) {
    isHurried = true
    emptyEnd = end
    for index in gathers.indices where !gathers[index].hasBegun {
      gathers[index].state.stopWaiting(at: end)
    }
  }

  /// This process could not listen for some nanoseconds: everybody gets them.
  package mutating func postpone(by nanoseconds: UInt64) {
    listeningSince = listeningSince.adding(nanoseconds: nanoseconds)
    for index in gathers.indices {
      gathers[index].state.postpone(by: nanoseconds)
      gathers[index].patience = gathers[index].patience.mapValues {
        var patience = $0
        patience.since = patience.since.adding(nanoseconds: nanoseconds)
        return patience
      }
    }
  }
}
