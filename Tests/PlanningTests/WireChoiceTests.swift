import Evaluation
import Foundations
import ModelGraph
import Plan
import Planning
import Tensors
import TestSupport
import Testing

@Suite("Types on the wire")
struct WireChoiceTests {
  /// Three dense layers without biases. Of the first one's outputs one is 1000, and beside it stands
  /// the one that decides the class, which a common scale of bytes rounds to nothing.
  private func graph(hidden: Float) throws -> Graph {
    var builder = GraphBuilder(name: "scales")
    var value = builder.addInput(name: "x", shape: [1, 3])
    for (name, rows) in [
      ("hidden", [[hidden, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0.5]]),
      ("middle", [[0, 1, 0, 0], [0, -1, 0, 0], [0, 0, 0.1, 0], [0, 0, 0, 0.1]]),
      ("scores", [[1, 0, 0, 0], [0, 1, 0, 0]]),
    ] as [(String, [[Float]])] {
      let weights = builder.add(
        constant: Tensor([rows.count, rows[0].count], rows.flatMap { $0 }), name: name + ".weight")
      value = try builder.add(.dense(Dense()), [value, weights], name: name)
    }
    try builder.addOutput(value, name: "y")
    return builder.graph
  }

  private let images = LabelledImages(
    names: (0..<12).map { "\($0)" }, labels: [Int](repeating: 0, count: 12)
  ) { Tensor([1, 3], [1, $0 % 2 == 0 ? 1 : -1, Float($0) / 12]) }

  private func plan(_ graph: Graph, _ wire: WireChoice?) throws -> Plan {
    let maker = try PlanMaker(
      try PlanningMethods.standard.named("lop"), wire: wire, measuring: Measuring(threads: 2))
    #expect(maker.needsImages == (wire == .auto))
    let layout = try maker.layout(of: graph, wishes: DeviceWishes(count: 2))
    let context = PlacingContext(
      graph: graph, model: .init(name: "m", sha256: "", preprocessing: nil, labels: []),
      layout: layout)
    let images = images
    return try maker.make(context) { () throws(MartletError) in images }.plan
  }

  @Test("bytes where no answer changes, half precision elsewhere")
  func auto() throws {
    let plan = try plan(try graph(hidden: 1000), .auto)
    #expect(plan.exchanges.map(\.id) == ["hidden", "middle", "scores"])
    #expect(plan.wire == [.f16, .i8, .i8] && plan.wireText == "i8 (2), f16 (1)")
    #expect(plan.wireTypes() == [.float16, .int8, .int8])
    #expect(plan.wireTypes(.float32) == [.float32, .float32, .float32])
  }

  @Test("bytes everywhere where nothing changes by it")
  func harmless() throws {
    #expect(try plan(try graph(hidden: 1), .auto).wire == [.i8, .i8, .i8])
  }

  @Test("one type for all, or none at all")
  func fixed() throws {
    let graph = try graph(hidden: 1000)
    #expect(try plan(graph, .i8).wire == [.i8, .i8, .i8])
    #expect(try plan(graph, .f32).wire == [.f32, .f32, .f32])
    let silent = try plan(graph, nil)
    #expect(silent.wire.isEmpty && silent.wireText == nil)
    #expect(silent.wireTypes() == [.float32, .float32, .float32])
    #expect(silent.wireTypes(.int8) == [.int8, .int8, .int8])
  }

  @Test("without images there is nothing to find out")
  func noImages() throws {
    let graph = try graph(hidden: 1)
    let maker = try PlanMaker(try PlanningMethods.standard.named("lop"), wire: .auto)
    let context = PlacingContext(
      graph: graph, model: .init(name: "m", sha256: "", preprocessing: nil, labels: []),
      layout: try maker.layout(of: graph, wishes: DeviceWishes(count: 2)))
    let error = #expect(throws: MartletError.self) { try maker.make(context) }
    #expect(error?.code == .invalidArgument)
  }
}
