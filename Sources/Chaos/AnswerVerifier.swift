import Dispatch
import Engine
package import Foundations
package import Plan
import Runtime
import Synchronization
package import Tensors
package import WireProtocol

/// Repeats answers in this process and compares them bit for bit.
///
/// An answer says who was to take part and which device lacked which part of which exchange.
/// `LocalCluster` computes the frame again with exactly these parts missing at exactly these devices,
/// so every answer is checked, also those on whose way devices disagreed about who was there.
package final class AnswerVerifier: Sendable {
  /// An answer to check.
  package struct Item: Sendable {
    /// Which of the inputs the frame was.
    package var input: Int
    /// Who was to take part.
    package var attendance: Attendance
    /// Who lacked what.
    package var report: FillReport
    /// The model's outputs.
    package var outputs: [Tensor]
    /// Names the frame.
    package var name: String

    /// An answer.
    package init(
      input: Int, attendance: Attendance, report: FillReport, outputs: [Tensor], name: String
    ) {
      self.input = input
      self.attendance = attendance
      self.report = report
      self.outputs = outputs
      self.name = name
    }
  }

  /// What was found.
  package struct Findings: Sendable, Equatable {
    /// Answers compared.
    package var compared = 0
    /// Different frames computed for that; the others had been computed before.
    package var computed = 0
    /// Answers that differ.
    package var different = 0
    /// The first of them.
    package var examples: [String] = []
  }

  private struct State: Sendable {
    var queue: [Item] = []
    var isFinished = false
    var findings = Findings()
  }

  /// `@unchecked Sendable`: `state` is only touched with `lock` held.
  private final class Shared: @unchecked Sendable {
    let lock = NativeLock()
    var state = State()
  }

  /// Answers that may wait; then clients wait.
  private static let capacity = 20_000
  private let shared = Shared()
  private let finished = DispatchGroup()

  /// Begins to wait for answers of frames of this plan.
  ///
  /// - Throws: what reading the shards throws.
  package init(plan: PlanFolder, inputs: [Tensor]) throws(MartletError) {
    let devices = try plan.plan.devices.indices.map { number throws(MartletError) in
      try DeviceEngines(folder: plan, device: number)
    }
    let client = try DeviceEngines(folder: plan, device: nil)
    let shared = shared
    DispatchQueue(label: "martlet.verifier").async(group: finished) {
      var checker = Checker(
        cluster: LocalCluster(devices: devices, client: client), inputs: inputs)
      while let items = AnswerVerifier.take(shared) {
        var findings = Findings()
        for item in items { checker.check(item, &findings) }
        shared.lock.withLock { shared.state.findings.add(findings) }
      }
    }
  }

  /// Hands an answer over.
  package func post(_ item: Item) {
    shared.lock.withLock {
      while shared.state.queue.count >= Self.capacity, shared.lock.wait(until: .distantFuture) {}
      shared.state.queue.append(item)
      shared.lock.broadcast()
    }
  }

  /// What was found so far.
  package var findings: Findings { shared.lock.withLock { shared.state.findings } }

  /// Checks what is left and ends; may be called any number of times.
  package func finish() -> Findings {
    shared.lock.withLock {
      shared.state.isFinished = true
      shared.lock.broadcast()
    }
    finished.wait()
    return findings
  }

  /// What has been handed over since the last call; nil once there is nothing more to come.
  private static func take(_ shared: Shared) -> [Item]? {
    shared.lock.withLock {
      while shared.state.queue.isEmpty, !shared.state.isFinished,
        shared.lock.wait(until: .distantFuture)
      {}
      defer {
        shared.state.queue = []
        shared.lock.broadcast()
      }
      return shared.state.queue.isEmpty ? nil : shared.state.queue
    }
  }
}

extension AnswerVerifier.Findings {
  mutating func add(_ other: Self) {
    compared += other.compared
    computed += other.computed
    different += other.different
    examples = Array((examples + other.examples).prefix(10))
  }
}

/// Computes frames and remembers the answers.
private struct Checker {
  private struct Key: Hashable {
    var input: Int
    var attendance: Attendance
    var report: FillReport
  }

  /// Answers that are remembered; then all are forgotten, which bounds memory and costs time only.
  private static let capacity = 10_000
  private let cluster: LocalCluster
  private let inputs: [Tensor]
  private var known: [Key: [Tensor]] = [:]

  init(cluster: LocalCluster, inputs: [Tensor]) {
    self.cluster = cluster
    self.inputs = inputs
  }

  mutating func check(_ item: AnswerVerifier.Item, _ findings: inout AnswerVerifier.Findings) {
    let key = Key(input: item.input, attendance: item.attendance, report: item.report)
    findings.compared += 1
    do {
      let expected: [Tensor]
      if let answer = known[key] {
        expected = answer
      } else {
        expected = try cluster.run(
          [inputs[item.input]], attendance: item.attendance, report: item.report)
        findings.computed += 1
        if known.count >= Self.capacity { known = [:] }
        known[key] = expected
      }
      guard !Self.areIdentical(expected, item.outputs) else { return }
    } catch {
      findings.examples.append("\(item.name) cannot be repeated: \(error)")
    }
    findings.different += 1
    findings.examples.append(
      "\(item.name), input \(item.input), attendance \(item.attendance.text), "
        + "lacking \"\(item.report.text)\"")
  }

  /// Bit for bit, so that a NaN equals itself.
  private static func areIdentical(_ first: [Tensor], _ second: [Tensor]) -> Bool {
    first.count == second.count
      && zip(first, second).allSatisfy { one, other in
        one.shape == other.shape
          && one.floats?.map(\.bitPattern) == other.floats?.map(\.bitPattern)
      }
  }
}
