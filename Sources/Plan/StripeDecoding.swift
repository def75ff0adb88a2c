extension LayerCode.Stripe {
  /// How the outputs of one lost data block follow from blocks that are there: the sum of each named
  /// block's outputs times its coefficient, position by position, a block that is too short counting
  /// as zero.
  package struct Decoding: Sendable, Hashable {
    /// One summand.
    package struct Term: Sendable, Hashable {
      /// Position in the stripe's `data` or `parity`.
      package var block: Int
      /// The factor; never zero.
      package var coefficient: Float

      /// Makes a summand.
      package init(block: Int, coefficient: Float) {
        self.block = block
        self.coefficient = coefficient
      }
    }

    /// Position in the stripe's `data` of the block that is computed.
    package var lostBlock: Int
    /// Over surviving data blocks, ascending.
    package var data: [Term]
    /// Over surviving parity blocks, ascending.
    package var parity: [Term]

    /// Makes a rule.
    package init(lostBlock: Int, data: [Term], parity: [Term]) {
      self.lostBlock = lostBlock
      self.data = data
      self.parity = parity
    }
  }

  /// How to restore every data block whose device is missing.
  ///
  /// As many parity blocks are used as data blocks are lost. Where more are there, those are chosen
  /// that amplify errors of their outputs least, so every caller that agrees on who is missing
  /// arrives at the same rule, whatever its own device.
  ///
  /// - Parameter missing: whether a device is missing.
  /// - Returns: one rule for each lost block, ascending, empty if none is lost; nil if the surviving
  ///   parity blocks do not determine them.
  package func decoding(missing: (Int) -> Bool) -> [Decoding]? {
    let known = data.indices.filter { !data[$0].neurons.isEmpty }
    let lost = known.filter { missing(data[$0].device) }
    let kept = known.filter { !missing(data[$0].device) }
    let available = parity.indices.filter { !missing(parity[$0].device) }
    guard !lost.isEmpty else { return [] }
    guard lost.count <= available.count else { return nil }
    let rows = available.map { row in parity[row].coefficients.map(Double.init) }
    var best: ErasureSolution?
    for choice in ErasureSolution.choices(of: lost.count, from: available.count) {
      guard let solution = ErasureSolution(rows: rows, chosen: choice, lost: lost, kept: kept)
      else { continue }
      if solution.amplification < (best?.amplification ?? .infinity) { best = solution }
    }
    guard let best else { return nil }
    return lost.indices.map { index in
      Decoding(
        lostBlock: lost[index],
        data: Decoding.terms(kept, best.data[index]),
        parity: Decoding.terms(best.chosen.map { available[$0] }, best.parity[index]))
    }
  }
}

extension LayerCode.Stripe.Decoding {
  /// Leaves out what is zero but for rounding.
  fileprivate static func terms(_ blocks: [Int], _ coefficients: [Double]) -> [Term] {
    zip(blocks, coefficients).compactMap { block, coefficient in
      abs(coefficient) < 1e-12 ? nil : Term(block: block, coefficient: Float(coefficient))
    }
  }
}
