package import Foundations
import Glibc
import Kernels
package import ModelGraph
package import Plan
import Processes
import Runtime

/// Measures this device: its kernels on small graphs, and messages through a broker of its own.
///
/// What counts is processor time, which other programs on the machine hardly change; the part of a
/// core that the process is given is measured beside it, so that a board with a quota is seen as one.
package struct DeviceBenchmark: Sendable {
  /// How long each kernel is run.
  package var length: Duration
  /// Threads that compute.
  package var threads: Int
  /// Whether messages are measured; needs mosquitto.
  package var measuresMessages: Bool

  /// A measurement.
  package init(
    length: Duration = .milliseconds(60), threads: Int = 1, measuresMessages: Bool = true
  ) {
    self.length = length
    self.threads = threads
    self.measuresMessages = measuresMessages
  }

  /// One kernel: what it did, what it took, and what the profile says.
  package struct Check: Sendable, Encodable {
    /// Its kind.
    package var kernel: KernelKind
    /// The shape of its first operand.
    package var operand: String
    /// The shape of its result.
    package var result: String
    /// Processor time, in microseconds.
    package var measured: Double
    /// The same by the fitted rates.
    package var fitted: Double

    private enum CodingKeys: String, CodingKey {
      case kernel, operand, result
      case measured = "measured_us"
      case fitted = "fitted_us"
    }
  }

  /// A profile, and how well it fits what it was made of.
  package struct Result: Sendable {
    /// The profile.
    package var profile: DeviceProfile
    /// By kernel.
    package var checks: [Check]
    /// Why messages were not measured; nil if they were, or nobody asked.
    package var messageTrouble: MartletError?
  }

  /// The share from which on a core counts as one's own: other programs take some of it now and then.
  private static let wholeCore = 0.9

  /// Runs it.
  ///
  /// - Parameters:
  ///   - progress: called with the number of kernels done, and of all.
  ///   - stopped: throws when the user asked to stop.
  /// - Throws: `resourceExhausted` without memory for the kernels; what `stopped` throws.
  package func run(
    progress: (Int, Int) -> Void = { _, _ in }, stopped: () throws(MartletError) -> Void = {}
  ) throws(MartletError) -> Result {
    ComputeThreads.set(threads)
    let graphs = try KernelSamples.graphs()
    let overhead = try time(try KernelSamples.smallest()).seconds
    var samples: [(graph: Graph, sample: RateFit.Sample)] = []
    var total = Timing()
    for graph in graphs {
      try stopped()
      guard let work = GraphWork(wholeModel: graph).nodes.first?.first else { continue }
      let timing = try time(graph)
      total.processor += timing.processor
      total.wall += timing.wall
      samples.append(
        (graph, RateFit.Sample(work, seconds: max(timing.seconds - overhead, 1e-9))))
      progress(samples.count, graphs.count)
    }
    let rates = KernelKind.allCases.map { kind in
      RateFit.rate(of: kind, from: samples.map(\.sample).filter { $0.work.kind == kind })
    }
    var trouble: MartletError?
    var messages: DeviceProfile.Messages?
    if measuresMessages {
      do throws(MartletError) {
        messages = try MessageCost.measure()
      } catch {
        trouble = error
      }
    }
    let share = threads == 1 ? total.processor / max(total.wall, 1e-9) : 1
    let profile = DeviceProfile(
      machine: .current, threads: threads,
      share: share >= Self.wholeCore ? 1 : max(share, 0.01), kernelOverhead: overhead,
      rates: rates, messages: messages)
    return Result(
      profile: profile, checks: samples.map { check($0.graph, $0.sample, profile) },
      messageTrouble: trouble)
  }

  private func check(
    _ graph: Graph, _ sample: RateFit.Sample, _ profile: DeviceProfile
  ) -> Check {
    let node = graph.nodes[0]
    return Check(
      kernel: sample.work.kind, operand: "\(graph[node.inputs[0]].shape)",
      result: "\(graph[node.output].shape)",
      measured: (sample.seconds + profile.kernelOverhead) * 1e6,
      fitted: profile.seconds([sample.work]) * profile.share * 1e6)
  }

  private struct Timing {
    /// Of one run.
    var seconds = 0.0
    /// Of all runs.
    var processor = 0.0
    var wall = 0.0
  }

  /// How long a graph's only stage takes: the median of a few rounds.
  private func time(_ graph: Graph) throws(MartletError) -> Timing {
    let inputs = graph.inputs
    let execution = try Execution(Program(graph))
    for input in inputs {
      execution.withMutableValue(input) { $0.update(repeating: 0.5) }
    }
    let clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC
    // The first run brings memory in; the second says how many fit in a round.
    execution.run(stage: 0)
    let once = measure(clock) { execution.run(stage: 0) }
    let rounds = 5
    let goal = length / .seconds(1) / Double(rounds)
    let count = max(1, min(1_000_000, Int(goal / max(once, 1e-7))))
    var timing = Timing()
    var times: [Double] = []
    timing.wall = measure(CLOCK_MONOTONIC) {
      for _ in 0..<rounds {
        times.append(measure(clock) { for _ in 0..<count { execution.run(stage: 0) } })
      }
    }
    timing.processor = times.reduce(0, +)
    timing.seconds = times.sorted()[rounds / 2] / Double(count)
    return timing
  }

  private func measure(_ clock: clockid_t, _ body: () -> Void) -> Double {
    let start = seconds(clock)
    body()
    return seconds(clock) - start
  }

  private func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
