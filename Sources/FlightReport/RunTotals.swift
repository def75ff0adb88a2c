import WireProtocol

/// One run of a client: its answers by phase.
package struct RunTotals: Sendable {
  /// Beyond this many sets of devices, results are counted and not kept apart.
  package static let maximumPhases = 256
  /// Beyond this many changes of phase, stretches are not listed any more.
  static let maximumStretches = 4096

  let client: String
  let epoch: UInt64
  let start: UInt64
  private(set) var plan: String?
  private(set) var tracker = SequenceTracker()
  private(set) var phases: [(alive: [String]?, totals: PhaseTotals)] = []
  private var numbers: [[String]?: Int] = [:]
  private var stretches: [(phase: Int, start: UInt64, end: UInt64, frames: Int)] = []
  private var last: UInt64

  /// What became of a result.
  enum Outcome {
    /// It belongs to this phase.
    case used(phase: Int)
    /// It had come before.
    case repeated
    /// There are too many phases.
    case beyondLimits
  }

  init(client: String, epoch: UInt64, first result: FrameResult, at time: UInt64) {
    self.client = client
    self.epoch = epoch
    // A run begins with the sending of its first frame.
    start = time - min(time, UInt64(min(result.latencyMilliseconds, 1e9) * 1e6))
    last = start
  }

  mutating func add(_ result: FrameResult, at time: UInt64) -> Outcome {
    guard tracker.insert(result.sequence) else { return .repeated }
    plan = result.plan ?? plan
    let alive = result.alive?.sorted()
    guard let phase = number(of: alive) else { return .beyondLimits }
    phases[phase].totals.add(result)
    // The time since the last answer went into this one; a clock that was set back took none.
    let begin = min(last, time)
    phases[phase].totals.seconds += Double(time - begin) / 1e9
    if stretches.last?.phase == phase {
      stretches[stretches.count - 1].end = max(time, stretches[stretches.count - 1].end)
      stretches[stretches.count - 1].frames += 1
    } else if stretches.count < RunTotals.maximumStretches {
      stretches.append((phase, begin, time, 1))
    }
    last = max(last, time)
    return .used(phase: phase)
  }

  /// Adds metrics of a device that lie within a phase.
  mutating func change(
    _ device: String, in phase: Int, _ body: (inout DeviceTotals) -> Void
  ) {
    let isKnown = phases[phase].totals.devices[device] != nil
    guard isKnown || phases[phase].totals.devices.count < PhaseTotals.maximumDevices else { return }
    body(&phases[phase].totals.devices[device, default: DeviceTotals()])
  }

  private mutating func number(of alive: [String]?) -> Int? {
    if let number = numbers[alive] { return number }
    guard phases.count < RunTotals.maximumPhases else { return nil }
    numbers[alive] = phases.count
    phases.append((alive, PhaseTotals()))
    return phases.count - 1
  }

  /// Whether there has been one answer.
  var isFirst: Bool { tracker.received == 1 }

  /// All phases together.
  var total: PhaseTotals {
    phases.reduce(into: PhaseTotals()) { $0.merge($1.totals) }
  }

  /// The run as the report tells it; `origin` is the report's start.
  func figures(origin: UInt64) -> FlightReport.Run {
    func seconds(_ time: UInt64) -> Double { (Double(time) - Double(origin)) / 1e9 }
    return FlightReport.Run(
      client: client, epoch: epoch, plan: plan, startSeconds: seconds(start),
      total: total.figures(alive: nil),
      phases: phases.map { $0.totals.figures(alive: $0.alive) },
      stretches: stretches.map {
        .init(
          phase: $0.phase, startSeconds: seconds($0.start), endSeconds: seconds($0.end),
          frames: $0.frames)
      }, sequence: tracker.figures)
  }
}
