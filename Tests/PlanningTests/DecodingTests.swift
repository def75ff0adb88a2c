import Plan
import Planning
import Testing

@Suite("Restoring lost blocks of a stripe")
struct DecodingTests {
  private func stripe(data: Int, parity: [[Float]], neurons: Int = 1) -> LayerCode.Stripe {
    LayerCode.Stripe(
      data: (0..<data).map { block in
        LayerCode.DataBlock(
          device: block, neurons: Array((block * neurons)..<((block + 1) * neurons)))
      },
      parity: parity.enumerated().map {
        LayerCode.ParityBlock(device: data + $0, coefficients: $1)
      })
  }

  @Test("nobody missing, or only parity, needs nothing")
  func nothingLost() {
    let stripe = stripe(data: 2, parity: [[1, 1], [1, -1]])
    #expect(stripe.decoding { _ in false } == [])
    #expect(stripe.decoding { $0 >= 2 } == [])
  }

  @Test("a sum gives the one lost block as sum minus the others")
  func sum() {
    let stripe = stripe(data: 3, parity: [[1, 1, 1]])
    let rules = stripe.decoding { $0 == 1 }
    #expect(
      rules == [
        .init(
          lostBlock: 1,
          data: [.init(block: 0, coefficient: -1), .init(block: 2, coefficient: -1)],
          parity: [.init(block: 0, coefficient: 1)])
      ])
    #expect(stripe.decoding { $0 <= 1 } == nil)
    #expect(stripe.decoding { $0 == 1 || $0 == 3 } == nil)
  }

  @Test("sum and difference give both blocks")
  func sumAndDifference() {
    let stripe = stripe(data: 2, parity: [[1, 1], [1, -1]])
    let rules = stripe.decoding { $0 < 2 }
    let plus = LayerCode.Stripe.Decoding.Term(block: 0, coefficient: 0.5)
    #expect(
      rules == [
        .init(lostBlock: 0, data: [], parity: [plus, .init(block: 1, coefficient: 0.5)]),
        .init(lostBlock: 1, data: [], parity: [plus, .init(block: 1, coefficient: -0.5)]),
      ])
  }

  @Test("of several parity blocks the one that amplifies errors least is used")
  func bestConditioned() {
    let stripe = stripe(data: 2, parity: [[0.01, 1], [1, 1], [1, 0.01]])
    #expect(stripe.decoding { $0 == 0 }?[0].parity.map(\.block) == [2])
    #expect(stripe.decoding { $0 == 1 }?[0].parity.map(\.block) == [0])
    #expect(stripe.decoding { $0 < 2 }?[0].parity.map(\.block) == [0, 2])
  }

  @Test("parity blocks that say the same do not count twice")
  func singular() {
    let stripe = stripe(data: 2, parity: [[1, 1], [2, 2], [1, 0]])
    #expect(stripe.decoding { $0 < 2 } != nil)
    #expect(stripe.decoding { $0 < 2 || $0 == 4 } == nil)
  }

  @Test("a block without neurons is neither lost nor read")
  func emptyBlock() {
    var stripe = stripe(data: 2, parity: [[1, 1]])
    stripe.data[1].neurons = []
    #expect(stripe.decoding { $0 == 1 } == [])
    #expect(stripe.decoding { $0 == 0 }?[0].data == [])
  }
}
