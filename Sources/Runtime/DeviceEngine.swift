public import Kernels
import ModelGraph
public import Plan
import TensorCore

/// One device's program for one attendance, compiled: what to run, then which exchanges to send and
/// gather, segment by segment. Immutable and shared by all frames in flight.
public final class DeviceEngine: Sendable {
  /// The work between two boundaries and what happens at the boundary after it.
  public struct Step: Sendable {
    /// Parts that are ready once this segment has run.
    public let publications: [DeviceProgram.Publication]
    /// Exchanges to gather before the next segment.
    public let gatherings: [DeviceProgram.Gathering]
  }

  /// The plan that the program was lowered from.
  public let plan: Plan
  /// This device's number; nil for a client.
  public let device: Int?
  /// What is computed, sent and gathered.
  public let program: DeviceProgram
  /// The compiled graph.
  public let compiled: Program
  /// One per segment; the last one gathers nothing.
  public let steps: [Step]

  /// Compiles a device's program.
  ///
  /// - Parameter constants: what the slices in `program.constants` stand for.
  /// - Throws: `mismatch` when a constant is missing; what `Program` throws.
  init(
    plan: Plan, device: Int?, program: DeviceProgram,
    constants: [ConstantSlice: SharedConstant]
  ) throws(MartletError) {
    self.plan = plan
    self.device = device
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
    steps = compiled.segments.map { segment in
      Step(
        publications: program.publications.filter { segment.nodes.contains($0.node) },
        gatherings: program.gatherings.filter { segment.exchanges.contains($0.node) })
    }
  }

  /// Puts one device's part where it belongs in a gathered value.
  ///
  /// - Parameter elements: row-major in the part's shape.
  func place(
    _ elements: UnsafeBufferPointer<Float>, _ part: DeviceProgram.Part,
    gathering: DeviceProgram.Gathering, in execution: Execution
  ) {
    precondition(elements.count == part.shape.count, "a part of another shape")
    guard let source = elements.baseAddress else { return }
    execution.withMutableValue(program.graph.nodes[gathering.node].output) { whole in
      guard let target = whole.baseAddress else { return }
      layout(gathering, part).forEachRun { from, to, count, _ in
        (target + to).update(from: source + from, count: count)
      }
    }
  }

  /// Fills the place of a part that is missing: with zeros, with the plan's channel means, or, where
  /// it would have been decoded with, with what marks everything as lost that depends on it.
  func fill(
    _ part: DeviceProgram.Part, gathering: DeviceProgram.Gathering, in execution: Execution
  ) {
    let point = plan.exchanges[gathering.exchange]
    var means: [Float]?
    if case .mean(let all) = plan.fill, !point.isDecoded { means = all[gathering.exchange] }
    let value: Float = point.isDecoded ? .nan : 0
    let layout = layout(gathering, part)
    execution.withMutableValue(program.graph.nodes[gathering.node].output) { whole in
      guard let target = whole.baseAddress else { return }
      layout.forEachRun { _, to, count, channel in
        guard let means else { return (target + to).update(repeating: value, count: count) }
        for index in 0..<(count / layout.inner) {
          (target + to + index * layout.inner).update(
            repeating: means[channel + index], count: layout.inner)
        }
      }
    }
  }

  private func layout(
    _ gathering: DeviceProgram.Gathering, _ part: DeviceProgram.Part
  ) -> PartLayout {
    let whole = program.graph[program.graph.nodes[gathering.node].output].shape
    return PartLayout(part: part, axis: gathering.axis, extent: whole[gathering.axis])
  }

  /// Gives access to the place of a part in a gathered value, if that place is one contiguous run.
  ///
  /// - Returns: whether it is, and `body` was called.
  func withRun(
    of part: DeviceProgram.Part, gathering: DeviceProgram.Gathering, in execution: Execution,
    _ body: (UnsafeMutableBufferPointer<Float>) -> Void
  ) -> Bool {
    guard part.runs.count == 1, part.channels == part.shape[gathering.axis],
      part.shape.outerCount(before: gathering.axis) == 1
    else { return false }
    let start = part.runs[0].target * part.shape.innerCount(after: gathering.axis)
    execution.withMutableValue(program.graph.nodes[gathering.node].output) { whole in
      body(UnsafeMutableBufferPointer(rebasing: whole[start..<(start + part.shape.count)]))
    }
    return true
  }

  /// The elements of a part that this device has computed.
  public func withOwnPart<Result>(
    _ publication: DeviceProgram.Publication, in execution: Execution,
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    try execution.withValue(publication.value, body)
  }
}

/// Where the channels of a part lie in a gathered value.
private struct PartLayout {
  let part: DeviceProgram.Part
  let outer: Int
  /// Elements of one channel.
  let inner: Int
  private let partExtent: Int
  private let extent: Int

  init(part: DeviceProgram.Part, axis: Int, extent: Int) {
    self.part = part
    self.extent = extent
    outer = part.shape.outerCount(before: axis)
    inner = part.shape.innerCount(after: axis)
    partExtent = part.shape[axis]
  }

  /// Calls `body` with element offsets in the part and in the whole, a number of elements, and the
  /// first channel in the whole.
  func forEachRun(_ body: (Int, Int, Int, Int) -> Void) {
    guard inner > 0 else { return }
    for block in 0..<outer {
      for run in part.runs {
        body(
          (block * partExtent + run.source) * inner, (block * extent + run.target) * inner,
          run.count * inner, run.target)
      }
    }
  }
}
