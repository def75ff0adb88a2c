import Dispatch
import Glibc
package import Processes
import Synchronization

/// Stops and continues processes by a schedule, SIGSTOP and SIGCONT, on a thread of its own.
package final class Staller: Sendable {
  private let processes: [ChildProcess]
  private let start = ContinuousClock.now
  private let isOver = DispatchSemaphore(value: 0)
  private let finished = DispatchGroup()
  /// What has happened, by end.
  private let past = Mutex<[Range<ContinuousClock.Instant>]>([])

  /// Begins.
  ///
  /// - Parameter processes: by device of the schedule.
  package init(_ processes: [ChildProcess], _ schedule: StallSchedule) {
    self.processes = processes
    DispatchQueue(label: "martlet.staller", qos: .userInteractive).async(group: finished) {
      [self] in run(schedule)
    }
  }

  /// Ends; every process goes on.
  package func stop() {
    isOver.signal()
    finished.wait()
  }

  /// The stalls that are over, by end.
  package var stalls: [Range<ContinuousClock.Instant>] { past.withLock { $0 } }

  private func run(_ schedule: StallSchedule) {
    var schedule = schedule
    var next = schedule.next()
    var stopped: [(stall: StallSchedule.Stall, since: ContinuousClock.Instant)] = []
    while true {
      let end = stopped.map { $0.since + $0.stall.length }.min()
      let event = min(end ?? start + next.start, start + next.start)
      let isTold = sleep(until: event)
      let now = ContinuousClock.now
      for (stall, since) in stopped where isTold || since + stall.length <= now {
        processes[stall.device].signal(SIGCONT)
        past.withLock { $0.append(since..<ContinuousClock.now) }
      }
      if isTold { return }
      stopped.removeAll { $0.since + $0.stall.length <= now }
      // A stall that is late must not meet the one before it on the same device.
      if start + next.start <= now, !stopped.contains(where: { $0.stall.device == next.device }) {
        processes[next.device].signal(SIGSTOP)
        stopped.append((next, .now))
        next = schedule.next()
      }
    }
  }

  /// - Returns: whether it was told to end.
  private func sleep(until end: ContinuousClock.Instant) -> Bool {
    let (seconds, attoseconds) = max(end - .now, .zero).components
    let wait = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
    return isOver.wait(timeout: .now() + .nanoseconds(wait)) == .success
  }
}
