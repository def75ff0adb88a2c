package import ModelGraph

/// How lost rows of a gathered value follow from the rows that came, where every parity block is
/// gathered: the same sums as in the program of a frame that knew of the loss.
package struct Repair: Sendable, Hashable {
  /// By lost neuron; the sum over rows of the gathered value.
  package var rows: [Int: [Combination.Term]]
}

extension Plan {
  /// Whether a coded layer's lost rows can be restored; see `repair`.
  package func canRepair(layer: Int, missing: Set<Int>) -> Bool {
    guard let code = placements[layer].code else { return false }
    return code.stripes.allSatisfy { $0.decoding(missing: missing.contains) != nil }
  }

  /// How a coded layer's lost rows are restored; nil when they cannot be.
  ///
  /// - Parameter missing: the devices whose parts did not come.
  package func repair(layer: Int, missing: Set<Int>) -> Repair? {
    guard let code = placements[layer].code else { return nil }
    let everything = LayerAssignment.Recovery(
      everythingOf: code, neurons: placements[layer].holders.count)
    var rows: [Int: [Combination.Term]] = [:]
    for (number, stripe) in code.stripes.enumerated() {
      guard let decodings = stripe.decoding(missing: missing.contains) else { return nil }
      let starts = Dictionary(
        uniqueKeysWithValues: everything.parity.filter { $0.stripe == number }
          .map { ($0.number, $0.start) })
      for decoding in decodings {
        for (row, neuron) in stripe.data[decoding.lostBlock].neurons.enumerated() {
          rows[neuron] = stripe.terms(decoding, row: row, parityStarts: starts)
        }
      }
    }
    return Repair(rows: rows)
  }
}

extension LayerCode.Stripe {
  /// The sum for one row of a lost block.
  ///
  /// - Parameter parityStarts: where each parity block's rows begin in the gathered value.
  func terms(_ decoding: Decoding, row: Int, parityStarts: [Int: Int]) -> [Combination.Term] {
    decoding.data.compactMap { term in
      let block = data[term.block].neurons
      return row < block.count
        ? Combination.Term(index: block[row], factor: term.coefficient) : nil
    }
      + decoding.parity.map { term in
        Combination.Term(index: (parityStarts[term.block] ?? 0) + row, factor: term.coefficient)
      }
  }
}
