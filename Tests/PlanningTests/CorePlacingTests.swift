import Plan
import Planning
import Testing

@Suite("A core of important neurons")
struct CorePlacingTests {
  private let layers = [LayerTraits(id: "a", neurons: 22), LayerTraits(id: "b", neurons: 3)]

  @Test("is on every device, the rest on few, and primaries are dealt evenly", arguments: [1, 2])
  func core(rest: Int) {
    let importance = [(0..<22).map { Double(($0 * 7) % 22) }, [1, 3, 2]]
    let placements = Placing.core(
      layers, importance: importance, devices: 4, share: 0.5, rest: rest)
    for (layer, placement) in placements.enumerated() {
      let sorted = importance[layer].sorted(by: >)
      let count = layers[layer].neurons / 2
      for (neuron, holders) in placement.holders.enumerated() {
        #expect(Set(holders).count == holders.count)
        let isCore = importance[layer][neuron] >= sorted[max(0, count - 1)] && count > 0
        #expect(holders.count == (isCore ? 4 : rest), "layer \(layer), neuron \(neuron)")
      }
    }
    let primaries = placements[0].primaries(devices: 4).map(\.count)
    #expect(primaries.max()! - primaries.min()! <= 1)
  }

  @Test("contiguous runs are those of lop")
  func contiguous() {
    let placement = Placing.contiguous(layers, shares: [1, 1, 1, 1])[0]
    #expect(placement.holders.map { $0[0] } == placement.holders.map { $0[0] }.sorted())
    #expect(placement.primaries(devices: 4).map(\.count) == [6, 6, 5, 5])
  }
}
