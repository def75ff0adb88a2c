import Foundations
import ModelGraph
import Plan
import Planning
import TestSupport
import Testing

@Suite("Cost of placements")
struct PlacementCostTests {
  @Test("placements are counted as the devices of their plan hold them", arguments: 0..<24)
  func asHeld(seed: Int) throws {
    let graph = try RandomGraph.network(seed: UInt64(seed))
    let sharding = try Sharding(graph)
    let layers = LayerTraits.all(of: sharding, graph: graph)
    let importance = sharding.layers.map { Importance.l1(of: $0, graph: graph) }
    let common = LayerTraits.common(of: sharding, graph: graph)
    let shares = [Double](repeating: 1, count: 4)
    var methods = [
      "lop": Placing.contiguous(layers, shares: shares),
      "replicate": Placing.replicate(layers, shares: shares),
      "copies": Placing.copies(layers, shares: shares, tolerating: 1),
    ]
    for tolerating in 1...2 {
      methods["coded \(tolerating)"] = try Placing.coded(
        layers, shares: shares, tolerating: tolerating, importance: importance)
    }
    for (method, placements) in methods {
      let counted = PlacementCost(of: placements, layers: layers, devices: 4, common: common)
      let plan = try Plan(
        model: Plan.Model(name: "m", sha256: "", preprocessing: nil, labels: []), method: method,
        devices: (0..<4).map { Plan.Device(name: "d\($0)") }, graph: graph, sharding: sharding,
        placements: placements)
      let held = (0..<4).map { plan.cost(of: $0) }
      #expect(counted.modelBytes == graph.constantBytes)
      // A device without neurons of a layer may need no constants of it either, and decoding takes
      // constants of channels that a device does not hold.
      let spread = zip(placements, layers).allSatisfy { placement, _ in
        placement.primaries(devices: 4).allSatisfy { !$0.isEmpty }
      }
      guard spread, !method.hasPrefix("coded") else { continue }
      #expect(counted.bytes == held.map(\.weightBytes), "\(method), seed \(seed)")
      #expect(abs(counted.copies() - held.copies(of: plan)) < 1e-9)
    }
  }
}
