package import WireProtocol

/// One thing that goes wrong, from when to when.
package struct Fault: Sendable, Hashable {
  /// What goes wrong.
  package enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
    /// A worker is killed with SIGKILL and started again later.
    case kill
    /// A worker is told to stop with SIGTERM and started again later.
    case terminate
    /// A worker stands still, SIGSTOP to SIGCONT.
    case pause
    /// A worker's connection carries nothing; both ends believe in it.
    case cut
    /// The broker is killed with SIGKILL and comes back having forgotten everything.
    case brokerForgets = "broker_forgets"
    /// The broker is killed with SIGKILL and comes back with what it had on disk.
    case brokerRemembers = "broker_remembers"
    /// Somebody subscribes to all parts and reads them slowly.
    case slowSubscriber = "slow_subscriber"
    /// Somebody publishes random bytes and messages that are nearly right.
    case garbage
    /// Somebody repeats parts with an epoch that is far too high, as a flipped bit would.
    case forgedEpoch = "forged_epoch"
    /// A second worker of the same name is started; the first has to give way.
    case duplicate
    /// A worker is killed and started again with another wall clock.
    case clockStep = "clock_step"
    /// A recording of everything grows beyond what its disk holds.
    case fullDisk = "full_disk"
    /// A worker is asked to compute nothing for a while; its heart beats on.
    case stall
    /// A worker is asked to leave out some of its parts.
    case drop
    /// A worker is asked to send its parts later.
    case delay
    /// A worker is asked to cut its connection and to stay away for a while.
    case disconnect
    /// A worker is asked to end without a goodbye, and started again later.
    case exit

    /// What a fault of this kind does to its surroundings, and how long it lasts.
    package var facts: Facts {
      switch self {
      case .kill, .clockStep: .ofDevice(500...4000, endsProcess: true, takesDeviceDown: true)
      // A worker may take its time to finish what it has.
      case .terminate: .ofDevice(4000...6000, endsProcess: true, takesDeviceDown: true)
      case .pause, .cut: .ofDevice(1000...10_000, takesDeviceDown: true)
      case .brokerForgets, .brokerRemembers: .ofBroker(200...4000)
      case .slowSubscriber, .garbage, .forgedEpoch, .fullDisk: .ofNobody(3000...8000)
      case .duplicate: .ofDevice(3000...4000, endsProcess: true)
      case .stall:
        .ofDevice(1000...10_000, takesDeviceDown: true, request: FaultRequest(.stall))
      case .drop:
        .ofDevice(2000...6000, request: FaultRequest(.drop, fraction: 0.2))
      case .delay:
        .ofDevice(
          2000...6000,
          request: FaultRequest(.delay, distribution: .exponential, meanMilliseconds: 20))
      case .disconnect:
        .ofDevice(1000...10_000, takesDeviceDown: true, request: FaultRequest(.disconnect))
      case .exit:
        .ofDevice(
          500...4000, endsProcess: true, takesDeviceDown: true,
          request: FaultRequest(.exit, code: 3))
      }
    }
  }

  /// What is known about a kind of fault.
  package struct Facts: Sendable {
    /// Whether it happens to one device.
    package private(set) var hitsDevice = false
    /// Whether a worker process ends.
    package private(set) var endsProcess = false
    /// Whether the device is not there between beginning and end.
    package private(set) var takesDeviceDown = false
    /// Whether the broker is not there between beginning and end.
    package private(set) var takesBrokerDown = false
    /// How long it lasts, in milliseconds.
    package let milliseconds: ClosedRange<Int>
    /// What `device/fault` is asked for, but for how long and the seed; nil where the fault comes
    /// from outside.
    package private(set) var request: FaultRequest?

    private init(_ milliseconds: ClosedRange<Int>) { self.milliseconds = milliseconds }

    fileprivate static func ofNobody(_ milliseconds: ClosedRange<Int>) -> Facts {
      Facts(milliseconds)
    }

    fileprivate static func ofBroker(_ milliseconds: ClosedRange<Int>) -> Facts {
      var facts = Facts(milliseconds)
      facts.takesBrokerDown = true
      return facts
    }

    fileprivate static func ofDevice(
      _ milliseconds: ClosedRange<Int>, endsProcess: Bool = false, takesDeviceDown: Bool = false,
      request: FaultRequest? = nil
    ) -> Facts {
      var facts = Facts(milliseconds)
      facts.hitsDevice = true
      facts.endsProcess = endsProcess
      facts.takesDeviceDown = takesDeviceDown
      facts.request = request
      return facts
    }
  }

  /// What goes wrong.
  package var kind: Kind
  /// The number of the device that it happens to; nil where it happens to all.
  package var device: Int?
  /// How far the wall clock is moved, in seconds; zero unless the kind is `clockStep`.
  package var clockSeconds: Int
  /// When it begins, from the start of the run.
  package var start: Duration
  /// When it ends, or what was stopped is started again.
  package var end: Duration

  /// A fault.
  package init(
    _ kind: Kind, device: Int? = nil, clockSeconds: Int = 0, start: Duration, end: Duration
  ) {
    self.kind = kind
    self.device = device
    self.clockSeconds = clockSeconds
    self.start = start
    self.end = end
  }
}
