import TensorCore
import WireProtocol

/// What all frames of one receiver know together about how late parts come: an `ArrivalBook` that
/// they share.
final class Arrivals {
  var book: ArrivalBook

  init(policy: DeadlinePolicy, devices: Int) {
    book = ArrivalBook(policy: policy, devices: devices)
  }
}
