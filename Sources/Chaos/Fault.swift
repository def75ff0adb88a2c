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

    /// Whether it happens to one device.
    package var hitsDevice: Bool {
      switch self {
      case .kill, .terminate, .pause, .cut, .duplicate, .clockStep: true
      case .stall, .drop, .delay, .disconnect, .exit: true
      case .brokerForgets, .brokerRemembers, .slowSubscriber, .garbage, .fullDisk: false
      case .forgedEpoch: false
      }
    }

    /// Whether a worker process ends.
    package var endsProcess: Bool {
      switch self {
      case .kill, .terminate, .duplicate, .clockStep, .exit: true
      case .pause, .cut, .brokerForgets, .brokerRemembers, .slowSubscriber, .garbage: false
      case .stall, .drop, .delay, .disconnect, .fullDisk, .forgedEpoch: false
      }
    }

    /// Whether the device is not there between beginning and end.
    package var takesDeviceDown: Bool {
      switch self {
      case .kill, .terminate, .pause, .cut, .clockStep, .stall, .disconnect, .exit: true
      case .duplicate, .brokerForgets, .brokerRemembers, .slowSubscriber, .garbage: false
      case .drop, .delay, .fullDisk, .forgedEpoch: false
      }
    }

    /// Whether the broker is not there between beginning and end.
    package var takesBrokerDown: Bool { self == .brokerForgets || self == .brokerRemembers }
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
