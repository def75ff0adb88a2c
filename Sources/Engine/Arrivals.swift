import Foundations
import Plan
import Resilience
import WireProtocol

/// What all frames of one receiver know together about how late parts come, whether they come at all,
/// what moves, what was sent, and what their loss costs.
final class Arrivals {
  var book: ArrivalBook
  var deliveries: DeliveryBook
  var movement: MovementBook
  var sent: SentBook
  let study: FailureTable?
  /// What was found out about exchanges that a peer's parts do not reach, and not said yet.
  var barred: [(device: Int, exchange: Int)] = []

  init(policy: DeadlinePolicy, devices: Int, study: FailureTable?) {
    book = ArrivalBook(policy: policy, devices: devices)
    deliveries = DeliveryBook(devices: devices)
    movement = MovementBook(devices: devices)
    sent = SentBook(devices: devices)
    self.study = study
  }
}

extension FailureTable {
  /// Whether the table says that a frame loses nothing without the parts of some devices.
  ///
  /// It knows what the survivors make of a loss that they know of. In the frame of a loss, copies and
  /// parity on standby are not there yet, and it says nothing about that.
  ///
  /// - Parameter missing: devices that the frame lacks already.
  func isFree(
    _ devices: Set<Int>, besides missing: Set<Int>, plan: Plan, replicas: Replicas
  ) -> Bool {
    guard replicas == .active || !devices.contains(where: plan.hasStandIn(for:)) else {
      return false
    }
    return isFree(losing: devices, besides: missing)
  }
}
