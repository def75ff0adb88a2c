import Foundations
import Glibc
import MQTT
import WireProtocol

/// Carries out what `device/fault` was asked to do to this process.
final class WorkerFaults {
  private let outlet: PartOutlet
  private let client: MQTTClient
  private let heart: Heart
  private var stallEnd = MonotonicTime.zero
  private var isSilent = false
  private var absenceEnd = MonotonicTime.zero

  init(outlet: PartOutlet, client: MQTTClient, heart: Heart) {
    self.outlet = outlet
    self.client = client
    self.heart = heart
  }

  /// Begins a fault.
  func begin(_ request: FaultRequest, seed: UInt64, at now: MonotonicTime) {
    let end = now.adding(nanoseconds: request.nanoseconds)
    switch request.kind {
    case .stall:
      stallEnd = end
      isSilent = request.silent ?? false
    case .disconnect:
      absenceEnd = end
      client.severConnection()
    case .exit: _exit(Int32(request.code ?? 1))
    default:
      assert(request.kind.isAboutParts, "nothing carries out \(request.kind)")
      outlet.injector.apply(request, seed: seed, at: now)
    }
  }

  /// Publishes what was held back, and waits out a stall: this thread then does nothing, as a device
  /// that is busy with something else.
  ///
  /// - Returns: when to call again.
  func work(at now: MonotonicTime) -> MonotonicTime {
    if stallEnd > now {
      if isSilent { heart.stop() }
      var end = timespec(
        tv_sec: Int(stallEnd.nanoseconds / 1_000_000_000),
        tv_nsec: Int(stallEnd.nanoseconds % 1_000_000_000))
      while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nil) == EINTR {}
      if isSilent { heart.start() }
      stallEnd = .zero
    }
    outlet.publishDelayed(at: now, through: client)
    return outlet.due
  }

  /// Cuts a new connection again while the device is to stay away.
  ///
  /// - Returns: whether it did.
  func refusesConnection(at now: MonotonicTime) -> Bool {
    guard now < absenceEnd else { return false }
    client.severConnection()
    return true
  }
}
