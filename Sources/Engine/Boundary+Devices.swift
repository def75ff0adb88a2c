package import Foundations
package import WireProtocol

/// What a frame under way makes of news of devices.
extension Boundary {
  /// A device went down: nobody waits for it any more in this frame.
  package mutating func deviceDown(_ device: Int, reason: MissingReason) {
    if devices[device].down == nil, reason == .suspect { silenced.insert(device) }
    devices[device].down = reason
    for index in gathers.indices { gathers[index].state.deviceDown(device, reason: reason) }
  }

  /// A device is heard again that fell silent during this frame: what it sends is to come, unless it has
  /// started anew since.
  package mutating func deviceBack(_ device: Int, epoch: UInt64) {
    guard silenced.contains(device), devices[device].down == .suspect,
      devices[device].epoch == epoch
    else { return }
    silenced.remove(device)
    devices[device].down = nil
    for index in gathers.indices { gathers[index].state.deviceBack(device) }
  }

  /// A device was late where nothing was lost by it: it is only waited for where something is.
  package mutating func deviceDoubted(_ device: Int) {
    devices[device].isDoubted = true
    for index in gathers.indices { gathers[index].state.deviceDoubted(device) }
  }

  /// Somebody who is trusted waited in vain for others. Whoever else waited for them comes late as well.
  ///
  /// - Parameter innocent: whether what is lacking was sent, and got lost.
  /// - Returns: those that this frame still waits for: in the same exchange, or, for a client, which
  ///   gathers only the last one, in any; with whether nothing was lost by it there.
  package mutating func blame(
    _ late: [FillReport.Lack], innocent: (FillReport.Lack) -> Bool = { _ in false },
    now: MonotonicTime, policy: DeadlinePolicy
  ) -> [Int: Bool] {
    guard !late.isEmpty else { return [:] }
    let accused = late.filter { fill in
      devices[fill.device].down == nil && !innocent(fill)
        && gathers.contains { gather in
          (waiting != .ownPart || gather.expectation.number == fill.exchange)
            && !gather.state.hasPart(of: fill.device)
        }
    }
    let guilty = Dictionary(accused.map { ($0.device, $0.isCovered) }) { $0 && $1 }
    if !isDelayed {
      isDelayed = true
      for index in gathers.indices {
        extendWaits(index, from: now, but: Set(guilty.keys), policy: policy)
      }
    }
    return guilty
  }
}
