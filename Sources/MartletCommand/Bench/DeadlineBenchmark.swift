import Engine
import Foundations
import LocalFleet
import Plan
import Runtime
import Tables
import WireProtocol

/// The measurements of `martlet bench deadline`: the same frames under one deadline after the other.
struct DeadlineBenchmark {
  let fleet: Fleet
  let inputs: FleetInputs
  let frames: Int
  let stopped: StopFlag

  /// Longer than anything takes: no timeout.
  private let never = DeadlineArgument(.every(.seconds(60)), "every:60s")

  func run(_ timeouts: [TimeArgument]) throws -> DeadlineReport {
    let total = timeouts.count + 2
    let watch = ProgressWatch("deadline", total: total)
    let healthy = try measure(never, silent: nil)
    watch.show(1)
    var fixed: [DeadlineReport.Row] = []
    for (index, timeout) in timeouts.enumerated() {
      let policy = DeadlineArgument(.every(timeout.duration), "every:\(timeout.description)")
      var row = try measure(policy, silent: fleet.victim)
      row.timeoutMicroseconds = timeout.duration.inMilliseconds * 1e3
      fixed.append(row)
      watch.show(index + 2)
    }
    let adaptive = try measure(DeadlineArgument(.learned, "adaptive"), silent: fleet.victim)
    return DeadlineReport(
      model: fleet.plan.plan.model.name, method: fleet.plan.plan.method,
      devices: fleet.names.count, silent: fleet.victim, frames: frames, healthy: healthy,
      timeouts: fixed, adaptive: adaptive)
  }

  /// Starts the workers with a deadline, streams the frames, and stops the workers.
  private func measure(
    _ deadline: DeadlineArgument, silent: String?
  ) throws -> DeadlineReport.Row {
    let client = try fleet.localClient { $0.deadline = deadline.policy }
    let stop = client.stopper
    stopped.listen { stop() }
    defer {
      client.close()
      fleet.stop()
    }
    for device in fleet.names {
      try fleet.start(
        device,
        ["--deadline", deadline.description] + (device == silent ? ["--mute"] : []))
    }
    try client.connect()
    try fleet.waitUntilReady(client)
    // Caches fill, and the adaptive deadline learns and meets the silent device, before it counts.
    for index in 0..<20 {
      _ = try client.submit(inputs[index])
      _ = try client.next()
    }
    var row = DeadlineReport.Row(deadline: deadline.description)
    var latency = Quantiles()
    var (sum, correct, labelled) = (0.0, 0, 0)
    for index in 0..<frames {
      try stopped.check()
      _ = try client.submit(inputs[index])
      let answer = try client.next()
      latency.add(answer.latency.inMilliseconds)
      sum += answer.latency.inMilliseconds
      row.filledParts += answer.fills.count
      if let label = inputs.label(index),
        let isRight = Prediction(answer, of: fleet.plan.plan).isRight(label)
      {
        labelled += 1
        if isRight { correct += 1 }
      }
    }
    row.mean = sum / Double(frames)
    row.p50 = latency.quantile(0.5) ?? 0
    row.p99 = latency.quantile(0.99) ?? 0
    row.accuracy = labelled > 0 ? Double(correct) / Double(labelled) : nil
    return row
  }
}
