/// What a device must do about a presence message that it sees on its own topic.
package enum OwnPresence: Sendable, Equatable {
  /// Nothing: its own words came back.
  case fine
  /// Stop: a second copy of this device is running, with this higher epoch.
  case superseded(epoch: UInt64)
  /// Begin anew with a higher epoch than this one: a run that has ended had it, for the clock has gone
  /// back since.
  case takeOver(epoch: UInt64)
  /// Publish the present state again: a will, of this run or an earlier one, has replaced it, or
  /// nonsense.
  case republish

  /// Judges a message on the own presence topic.
  ///
  /// - Parameters:
  ///   - seen: what came, live or retained.
  ///   - epoch: the own epoch.
  ///   - state: the state that the device published last, or nil before it published any. A device
  ///     that has not published yet, or is leaving, has nothing to repair.
  ///   - latest: the latest epoch that can be right; see `Epoch.latest`.
  package static func judge(
    _ seen: Presence, ownEpoch epoch: UInt64, published state: Presence.State?,
    latest: UInt64 = Epoch.maximum
  ) -> OwnPresence {
    if seen.epoch > epoch, seen.epoch <= latest {
      return seen.state.isGone
        ? .takeOver(epoch: seen.epoch) : .superseded(epoch: seen.epoch)
    }
    guard let state, !state.isGone else { return .fine }
    return seen.epoch != epoch || seen.state.isGone ? .republish : .fine
  }
}
