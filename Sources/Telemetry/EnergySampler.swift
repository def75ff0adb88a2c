import Dispatch
import Foundations
import Synchronization

/// Samples an `EnergyMeter` on a timer of its own, so that power is integrated in steps that are
/// short against its changes however busy the rest of the program is.
///
/// RobustDiCE (Guo et al. 2024, section 5.1) samples the boards' power monitors the same way and
/// integrates over time. An estimate needs no timer: CPU time is a counter already.
package final class EnergySampler: Sendable {
  /// What the meter has come to.
  package struct Reading: Sendable, Equatable {
    /// Joules since the first sample.
    package var joules: Double
    /// Where they come from.
    package var source: EnergyMeter.Source
    /// Sensor readings that failed or were absurd.
    package var failedReadings: Int
  }

  private let meter: Mutex<EnergyMeter>
  private let timer = Mutex<(any DispatchSourceTimer)?>(nil)

  /// Begins to sample.
  ///
  /// - Parameter interval: time between two samples; the cost of one is that of reading the sensors'
  ///   files.
  package init(_ meter: EnergyMeter, every interval: Duration = .milliseconds(100)) {
    self.meter = Mutex(meter)
    sample()
    guard !meter.source.isEstimate else { return }
    timer.withLock { timer in
      let source = DispatchSource.makeTimerSource(queue: .global(qos: .userInitiated))
      let step = DispatchTimeInterval.nanoseconds(Int(interval / .nanoseconds(1)))
      source.schedule(deadline: .now() + step, repeating: step)
      source.setEventHandler { [weak self] in self?.sample() }
      source.resume()
      timer = source
    }
  }

  deinit { timer.withLock { $0?.cancel() } }

  /// Samples once more and tells what there is.
  package func read() -> Reading {
    sample()
    return meter.withLock {
      Reading(joules: $0.joules, source: $0.source, failedReadings: $0.failedReadings)
    }
  }

  private func sample() {
    meter.withLock { $0.sample(now: Double(MonotonicTime.now().nanoseconds) / 1e9) }
  }
}
