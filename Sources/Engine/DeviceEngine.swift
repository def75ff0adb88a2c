import Foundations
package import Kernels
import ModelGraph
package import Plan
import Tensors
import WireProtocol

/// One device's program for one attendance, compiled: what to run, then which exchanges to send and
/// gather, stage by stage. Immutable and shared by all frames in flight.
package final class DeviceEngine: Sendable {
  /// A stage of the program, and what happens at the boundary after it.
  package struct Stage: Sendable {
    /// Parts that are ready once this stage has run.
    package let publications: [DeviceProgram.Publication]
    /// Exchanges to gather before the next stage.
    package let gatherings: [DeviceProgram.Gathering]
    /// The same, as the boundary sees them.
    let expectations: [Boundary.Expectation]
  }

  /// The plan that the program was lowered from.
  package let plan: Plan
  /// This device's number; nil for a client.
  package let device: Int?
  /// Whose program it is: `Plan.normalised`.
  package let attendance: Attendance
  /// What is computed, sent and gathered.
  package let program: DeviceProgram
  /// The compiled graph.
  package let compiled: Program
  /// One per stage; the last one gathers nothing.
  package let stages: [Stage]
  /// What stands in for lost rows.
  private let rowFill: Plan.RowFill

  /// Compiles a device's program.
  ///
  /// - Parameter constants: what the slices in `program.constants` stand for.
  /// - Throws: `mismatch` when a constant is missing; what `Program` throws.
  init(
    plan: Plan, device: Int?, attendance: Attendance, program: DeviceProgram,
    constants: [ConstantSlice: SharedConstant], rowFill: Plan.RowFill
  ) throws(MartletError) {
    self.plan = plan
    self.rowFill = rowFill
    self.device = device
    self.attendance = attendance
    self.program = program
    var own: [ValueID: SharedConstant] = [:]
    for (id, slice) in program.constants {
      guard let constant = constants[slice] else {
        throw MartletError(
          .mismatch, "the shard lacks a constant that the plan needs",
          context: ["constant": program.graph[id].name])
      }
      own[id] = constant
    }
    compiled = try Program(program.graph, constants: own)
    stages = compiled.stages.map { stage in
      let gatherings = program.gatherings.filter { stage.exchanges.contains($0.node) }
      return Stage(
        publications: program.publications.filter { stage.nodes.contains($0.node) },
        gatherings: gatherings,
        expectations: gatherings.map { Boundary.Expectation($0, plan.exchanges[$0.exchange]) })
    }
  }

  /// Puts what a device's part supplies of one slot where it belongs in a gathered value.
  ///
  /// - Parameter elements: the whole part, row-major in its shape.
  func place(
    _ elements: UnsafeBufferPointer<Float>, _ part: DeviceProgram.Part,
    _ piece: DeviceProgram.Part.Piece, gathering: DeviceProgram.Gathering, in execution: Execution
  ) {
    precondition(elements.count == part.shape.count, "a part of another shape")
    guard let source = elements.baseAddress else { return }
    let inner = part.shape.innerCount(after: gathering.axis)
    let extent = part.shape[gathering.axis]
    withGathered(gathering, in: execution) { target, shape in
      for block in 0..<shape.outerCount(before: gathering.axis) {
        for run in piece.runs {
          (target + (block * shape[gathering.axis] + run.target) * inner).update(
            from: source + (block * extent + run.source) * inner, count: run.count * inner)
        }
      }
    }
  }

  /// Whether slots that nobody delivered can be decoded from what came.
  func canRestore(_ missing: [Int], of gathering: DeviceProgram.Gathering) -> Bool {
    let point = plan.exchanges[gathering.exchange]
    guard let layer = point.layer else { return false }
    return point.isDecoded && attendance.replicas == .active
      && plan.canRepair(
        layer: layer, missing: Set(missing.map { gathering.slots[$0].candidates[0] }))
  }

  /// Ends the gathering of a value: fills the slots that nobody delivered, and makes the value null if
  /// it is a whole block of which nothing came.
  ///
  /// - Returns: the slots that are lost; the others came or were decoded.
  func complete(
    _ gathering: DeviceProgram.Gathering, missing: [Int], in execution: Execution,
    nulls: inout Set<ValueID>
  ) -> [Int] {
    let lost = fill(missing, gathering: gathering, in: execution)
    if plan.exchanges[gathering.exchange].isWhole, missing.count == gathering.slots.count {
      nulls.insert(program.graph.nodes[gathering.node].output)
    }
    return lost
  }

  /// Fills the slots that nobody delivered: decoded where enough parity came, else by the
  /// plan's fill, or, where something would have been decoded with them, with what marks
  /// everything as lost that depends on it.
  ///
  /// - Returns: the slots that are lost; the others were decoded.
  private func fill(
    _ missing: [Int], gathering: DeviceProgram.Gathering, in execution: Execution
  ) -> [Int] {
    guard !missing.isEmpty else { return [] }
    let point = plan.exchanges[gathering.exchange]
    if point.isDecoded, attendance.replicas == .active, let layer = point.layer,
      let repair = plan.repair(
        layer: layer, missing: Set(missing.map { gathering.slots[$0].candidates[0] }))
    {
      restore(repair, gathering: gathering, in: execution)
      return []
    }
    if point.isRows {
      fillRows(missing.map { gathering.slots[$0] }, gathering: gathering, in: execution)
      return missing
    }
    let constants = point.takesConstants ? plan.fill.constants?[gathering.exchange] : nil
    for slot in missing {
      fill(
        gathering.slots[slot], with: point.isDecoded ? .nan : 0, constants: constants,
        gathering: gathering, in: execution)
    }
    return missing
  }

  private func fill(
    _ slot: DeviceProgram.Slot, with value: Float, constants: [Float]?,
    gathering: DeviceProgram.Gathering, in execution: Execution
  ) {
    withGathered(gathering, in: execution) { target, shape in
      let inner = shape.innerCount(after: gathering.axis)
      for block in 0..<shape.outerCount(before: gathering.axis) {
        let start = block * shape[gathering.axis]
        for channel in slot.channels.joined() {
          (target + (start + channel) * inner).update(
            repeating: constants?[channel] ?? value, count: inner)
        }
      }
    }
  }

  private func fillRows(
    _ slots: [DeviceProgram.Slot], gathering: DeviceProgram.Gathering, in execution: Execution
  ) {
    withGathered(gathering, in: execution) { target, shape in
      rowFill.fill(
        slots.flatMap { $0.channels.flatMap { Array($0) } }, of: target,
        outer: shape.outerCount(before: gathering.axis), extent: shape[gathering.axis],
        inner: shape.innerCount(after: gathering.axis))
    }
  }

  /// The value that a device puts into a gathering itself; nil where it has nothing of it.
  func ownValue(of gathering: DeviceProgram.Gathering) -> ValueID? {
    program.graph.nodes[gathering.node].inputs.first
  }

  private func restore(
    _ repair: Repair, gathering: DeviceProgram.Gathering, in execution: Execution
  ) {
    withGathered(gathering, in: execution) { target, shape in
      let inner = shape.innerCount(after: gathering.axis)
      for block in 0..<shape.outerCount(before: gathering.axis) {
        let slices = target + block * shape[gathering.axis] * inner
        for (neuron, terms) in repair.rows {
          Combination.sum(terms, of: slices, inner: inner, into: slices + neuron * inner)
        }
      }
    }
  }

  private func withGathered(
    _ gathering: DeviceProgram.Gathering, in execution: Execution,
    _ body: (UnsafeMutablePointer<Float>, Shape) -> Void
  ) {
    let value = program.graph.nodes[gathering.node].output
    execution.withMutableValue(value) { whole in
      if let start = whole.baseAddress, !whole.isEmpty { body(start, program.graph[value].shape) }
    }
  }

  /// Gives access to the place of a part in a gathered value, if that place is one contiguous run.
  ///
  /// - Returns: whether it is, and `body` was called.
  func withRun(
    of part: DeviceProgram.Part, gathering: DeviceProgram.Gathering, in execution: Execution,
    _ body: (UnsafeMutableBufferPointer<Float>) -> Void
  ) -> Bool {
    guard part.pieces.count == 1, part.pieces[0].runs.count == 1,
      case let run = part.pieces[0].runs[0], run.count == part.shape[gathering.axis],
      part.shape.outerCount(before: gathering.axis) == 1
    else { return false }
    let start = run.target * part.shape.innerCount(after: gathering.axis)
    execution.withMutableValue(program.graph.nodes[gathering.node].output) { whole in
      body(UnsafeMutableBufferPointer(rebasing: whole[start..<(start + part.shape.count)]))
    }
    return true
  }

  /// The elements of a part that this device has computed.
  package func withOwnPart<Result>(
    _ publication: DeviceProgram.Publication, in execution: Execution,
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    try execution.withValue(publication.value, body)
  }
}

extension Boundary.Expectation {
  /// What a boundary must know of a gathering.
  init(_ gathering: DeviceProgram.Gathering, _ point: Plan.ExchangePoint) {
    func elements(_ slot: Int, of part: DeviceProgram.Part) -> Int {
      // A part that is one slot may have channels that nobody reads.
      part.pieces.count == 1
        ? part.shape.count
        : gathering.slots[slot].count * (part.shape.count / part.shape[gathering.axis])
    }
    self.init(
      number: gathering.exchange, stage: point.stage, isWhole: point.isWhole,
      slots: gathering.slots.indices.map { slot in
        GatherState.Slot(
          elements: gathering.parts.first { $0.pieces.contains { $0.slot == slot } }
            .map { elements(slot, of: $0) } ?? 0,
          candidates: gathering.slots[slot].candidates)
      },
      parts: gathering.parts.map { part in
        Boundary.PartSize(
          device: part.device, elements: part.shape.count,
          pieces: part.pieces.map { .init(slot: $0.slot, elements: elements($0.slot, of: part)) })
      })
  }
}
