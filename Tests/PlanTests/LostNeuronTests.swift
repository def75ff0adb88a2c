import Foundations
import Plan
import Testing

@Suite("Which neurons are lost")
struct LostNeuronTests {
  private func alive(_ devices: Int, without failed: [Int]) -> [Bool] {
    (0..<devices).map { !failed.contains($0) }
  }

  @Test("a neuron is there while one of its holders is")
  func replicas() {
    let placement = LayerPlacement(holders: [[0], [1], [0, 1], [2, 0], [1, 2, 0]])
    let table: [([Int], [Int])] = [
      ([], []), ([0], [0]), ([1], [1]), ([2], []), ([0, 1], [0, 1, 2]), ([0, 2], [0, 3]),
      ([1, 2], [1]), ([0, 1, 2], [0, 1, 2, 3, 4]),
    ]
    for (failed, lost) in table {
      #expect(placement.lostNeurons(alive: alive(3, without: failed)) == lost, "\(failed)")
    }
  }

  @Test("plain parts lose what the failed devices have")
  func parts() {
    let placement = LayerPlacement(parts: [[0, 3], [1], [2, 4]])
    #expect(placement.lostNeurons(alive: [true, false, true]) == [1])
    #expect(placement.lostNeurons(alive: [false, true, false]) == [0, 2, 3, 4])
  }

  /// One stripe over devices 0 to 2, its parity on device 3.
  private func coded(holders: [[Int]], parity: Int = 1) -> LayerPlacement {
    LayerPlacement(
      holders: holders,
      code: LayerCode(stripes: [
        .init(
          data: [
            .init(device: 0, neurons: [0, 1]), .init(device: 1, neurons: [2]),
            .init(device: 2, neurons: [3]),
          ],
          parity: (0..<parity).map { number in
            // Any two of these differ in every pair of columns.
            .init(device: 3 + number, coefficients: number == 0 ? [1, 1, 1] : [1, 2, 3])
          })
      ]))
  }

  @Test("a stripe makes up for as many blocks as it has parity left")
  func oneParity() {
    let placement = coded(holders: [[0], [0], [1], [2]])
    let table: [([Int], [Int])] = [
      ([], []), ([0], []), ([1], []), ([3], []), ([0, 1], [0, 1, 2]), ([0, 3], [0, 1]),
      ([2, 3], [3]), ([0, 1, 2], [0, 1, 2, 3]), ([1, 2, 3], [2, 3]),
    ]
    for (failed, lost) in table {
      #expect(placement.lostNeurons(alive: alive(4, without: failed)) == lost, "\(failed)")
    }
  }

  @Test("two parity blocks make up for two")
  func twoParities() {
    let placement = coded(holders: [[0], [0], [1], [2]], parity: 2)
    let table: [([Int], [Int])] = [
      ([0, 1], []), ([0, 3], []), ([3, 4], []), ([0, 3, 4], [0, 1]), ([0, 1, 3], [0, 1, 2]),
      ([0, 1, 2], [0, 1, 2, 3]),
    ]
    for (failed, lost) in table {
      #expect(placement.lostNeurons(alive: alive(5, without: failed)) == lost, "\(failed)")
    }
  }

  @Test("parity that says nothing new does not count")
  func dependentParities() {
    var placement = coded(holders: [[0], [0], [1], [2]], parity: 2)
    placement.code?.stripes[0].parity[1].coefficients = [2, 2, 2]
    #expect(placement.lostNeurons(alive: alive(5, without: [0])) == [])
    #expect(placement.lostNeurons(alive: alive(5, without: [0, 1])) == [0, 1, 2])
  }

  @Test("a stripe that cannot be decoded spoils the layer")
  func allOrNothing() {
    let placement = LayerPlacement(
      holders: [[0], [1], [2], [3]],
      code: LayerCode(stripes: [
        .init(
          data: [.init(device: 0, neurons: [0]), .init(device: 1, neurons: [1])],
          parity: [.init(device: 2, coefficients: [1, 1])]),
        .init(
          data: [.init(device: 2, neurons: [2]), .init(device: 3, neurons: [3])],
          parity: [.init(device: 0, coefficients: [1, 1])]),
      ]))
    #expect(placement.lostNeurons(alive: alive(4, without: [1])) == [])
    #expect(placement.lostNeurons(alive: alive(4, without: [1, 3])) == [])
    // The first stripe alone could be decoded.
    #expect(placement.lostNeurons(alive: alive(4, without: [0, 3])) == [0, 3])
  }

  @Test("a decoded neuron needs somebody who can go on with it")
  func holdersBehindTheCode() {
    let placement = coded(holders: [[0, 1], [0, 3], [1, 2], [2, 0]], parity: 2)
    func lost(_ failed: Int...) -> [Int] {
      placement.lostNeurons(alive: alive(5, without: failed), isBehindFilters: true)
    }
    #expect(lost(0) == [])
    // Neuron 0 is decoded, but both who hold its depthwise filter are gone.
    #expect(lost(0, 1) == [0])
    #expect(lost(0, 3) == [1])
    #expect(placement.lostNeurons(alive: alive(5, without: [0, 1])) == [])
  }

  @Test("an empty block is never missing")
  func emptyBlocks() {
    let placement = LayerPlacement(
      holders: [[1]],
      code: LayerCode(stripes: [
        .init(
          data: [.init(device: 0, neurons: []), .init(device: 1, neurons: [0])],
          parity: [.init(device: 2, coefficients: [1, 1])])
      ]))
    #expect(placement.lostNeurons(alive: [false, false, true]) == [])
    #expect(placement.lostNeurons(alive: [true, false, false]) == [0])
  }
}
