import Engine
import Foundations
import ModelGraph
import Plan
import Tensors
import TestSupport
import Testing

@Suite("What travels")
struct WirePointTests {
  /// Random networks with strips in front, on a few devices.
  private func trial(_ seed: UInt64) throws -> (graph: Graph, plan: Plan)? {
    var generator = SeededGenerator(seed)
    let graph = try RandomGraph.windows(seed: seed)
    let end = Int.random(in: 1...graph.nodes.count, using: &generator)
    let nodes = Strips.front(of: graph, end: end)
    guard !nodes.isEmpty else { return nil }
    let bare = try Strips(graph, nodes: nodes, halos: [])
    let halos = nodes.map { graph.nodes[$0].output }.filter {
      Bool.random(using: &generator) && bare.axes[$0] != nil
    }
    let strips = try Strips(graph, nodes: nodes, halos: Set(halos))
    guard (try? Sharding(graph, strips: strips)) != nil else { return nil }
    let shares = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
      Double.random(in: 0.5...2, using: &generator)
    }
    return (graph, try plan(graph, shares: shares, method: .lop, strips: strips))
  }

  @Test(
    "each exchange of a whole frame is of one point, whose parts do not overlap", arguments: 0..<40)
  func points(seed: Int) throws {
    guard let (graph, plan) = try trial(UInt64(seed)) else { return }
    let points = plan.wirePoints
    #expect(
      points.flatMap(\.exchanges).sorted()
        == plan.exchanges.indices.filter { plan.exchanges[$0].stage != nil })
    #expect(Set(points.map(\.value)).count == points.count)
    for point in points {
      #expect(point.axis > 0)
      let all = point.parts.flatMap { $0 }.sorted()
      #expect(all == Array(0..<graph[point.value].shape[point.axis]), "seed \(seed), \(point)")
    }
  }

  /// What one device sends another of its rows is rounded like everything else.
  @Test("strips travel as what the plan says", arguments: 0..<20)
  func strips(seed: Int) throws {
    guard let (graph, plan) = try trial(UInt64(seed)), plan.devices.count > 1 else { return }
    let input = RandomGraph.input(of: graph, seed: UInt64(seed))
    let alive = plan.devices.map { _ in true }
    let bytes = try plan.travelling(as: plan.exchanges.map { _ in .i8 })
    let given = try cluster(plan, graph, wire: .int8).run([input], alive: alive)
    let planned = try cluster(bytes, graph, wire: nil).run([input], alive: alive)
    #expect(given == planned)
    let exact = try whole(graph, input)
    #expect(relativeError(given[0].floats ?? [], exact) < 0.3, "seed \(seed)")
  }
}
