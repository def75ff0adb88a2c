public import Kernels
public import ModelGraph
public import Plan
public import TensorCore

/// One device's program, compiled: what to run, then which exchanges to send and gather, segment by
/// segment. Immutable and shared by all frames in flight.
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

  /// Compiles a device's program with its weights.
  ///
  /// - Parameter constants: elements for every value in `program.constants`.
  public init(
    plan: Plan, device: Int?, program: DeviceProgram, constants: [ValueID: Tensor]
  ) throws(MartletError) {
    self.plan = plan
    self.device = device
    self.program = program
    var graph = program.graph
    graph.constants = constants
    compiled = try Program(graph)
    let segments = compiled.segments
    steps = segments.map { segment in
      Step(
        publications: program.publications.filter { segment.nodes.contains($0.node) },
        gatherings: program.gatherings.filter { segment.exchanges.contains($0.node) })
    }
  }

  /// Puts one device's part where it belongs in a gathered value.
  ///
  /// - Parameters:
  ///   - device: whose part it is.
  ///   - part: its elements, row-major in the part's shape; nil fills with zeros.
  public func place(
    _ part: UnsafeBufferPointer<Float>?, of device: Int, gathering: DeviceProgram.Gathering,
    in execution: Execution
  ) {
    let exchange = plan.exchanges[gathering.exchange]
    let node = program.graph.nodes[gathering.node]
    execution.withMutableValue(node.output) { whole in
      GatheredLayout(exchange: exchange, destinations: gathering.destinations)
        .copy(part, of: device, into: whole)
    }
  }

  /// Gives access to the place of a part in a gathered value, if that place is one contiguous run.
  ///
  /// - Returns: whether it is, and `body` was called.
  func withRun(
    of device: Int, gathering: DeviceProgram.Gathering, in execution: Execution,
    _ body: (UnsafeMutableBufferPointer<Float>) -> Void
  ) -> Bool {
    let exchange = plan.exchanges[gathering.exchange]
    guard gathering.destinations == nil, exchange.shape.outerCount(before: exchange.axis) == 1
    else { return false }
    let inner = exchange.shape.innerCount(after: exchange.axis)
    let start = exchange.extents[..<device].reduce(0, +) * inner
    execution.withMutableValue(program.graph.nodes[gathering.node].output) { whole in
      body(
        UnsafeMutableBufferPointer(
          rebasing: whole[start..<(start + exchange.extents[device] * inner)]))
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

/// Where parts lie in a gathered value.
struct GatheredLayout {
  let exchange: Plan.ExchangePoint
  /// See `DeviceProgram.Gathering.destinations`.
  let destinations: [Int]?

  /// Copies a part into the whole, or fills its place with zeros.
  ///
  /// With the outermost axis cut and parts in device order this is one contiguous copy.
  func copy(
    _ part: UnsafeBufferPointer<Float>?, of device: Int,
    into whole: UnsafeMutableBufferPointer<Float>
  ) {
    let shape = exchange.shape
    let outer = shape.outerCount(before: exchange.axis)
    let inner = shape.innerCount(after: exchange.axis)
    let extent = shape[exchange.axis]
    let count = exchange.extents[device]
    let start = exchange.extents[..<device].reduce(0, +)
    guard count > 0, let base = whole.baseAddress else { return }
    precondition(part == nil || part?.count == outer * count * inner, "a part of another shape")
    func run(from source: Int, to target: Int, _ length: Int) {
      if let elements = part?.baseAddress {
        (base + target).update(from: elements + source, count: length)
      } else {
        (base + target).update(repeating: 0, count: length)
      }
    }
    for block in 0..<outer {
      let source = block * count * inner
      let target = block * extent * inner
      guard let destinations else {
        run(from: source, to: target + start * inner, count * inner)
        continue
      }
      for channel in 0..<count {
        run(
          from: source + channel * inner, to: target + destinations[start + channel] * inner, inner)
      }
    }
  }
}

extension DeviceEngine {
  /// Lowers, loads and compiles one device's program (nil: the client's) from a plan folder.
  ///
  /// - Throws: what `PlanFolder.constants` and `Program` throw.
  public convenience init(folder: PlanFolder, device: Int?) throws(MartletError) {
    let program =
      device.map { folder.plan.program(device: $0) } ?? folder.plan.clientProgram()
    try self.init(
      plan: folder.plan, device: device, program: program,
      constants: try folder.constants(of: program, device: device))
  }
}
