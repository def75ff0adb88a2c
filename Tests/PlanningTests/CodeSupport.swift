import Foundations
import Plan

/// Random outputs of a layer, and what is left of them when devices are missing.
struct CodedOutputs {
  let code: LayerCode
  /// By neuron.
  let outputs: [Double]

  init(code: LayerCode, neurons: Int, seed: UInt64) {
    self.code = code
    var random = SeededGenerator(seed: seed)
    outputs = (0..<neurons).map { _ in Double.random(in: -1...1, using: &random) }
  }

  private func output(_ block: LayerCode.DataBlock, _ position: Int) -> Double {
    position < block.neurons.count ? outputs[block.neurons[position]] : 0
  }

  /// The largest error of a decoded neuron; nil if a stripe cannot be decoded, `.infinity` if a rule
  /// uses something that is missing.
  func worstError(missing: Set<Int>) -> Double? {
    var worst = 0.0
    for stripe in code.stripes {
      guard let rules = stripe.decoding(missing: missing.contains) else { return nil }
      let lost = stripe.data.indices.filter { missing.contains(stripe.data[$0].device) }
      guard rules.map(\.lostBlock) == lost else { return .infinity }
      for rule in rules {
        guard rule.data.allSatisfy({ !missing.contains(stripe.data[$0.block].device) }),
          rule.parity.allSatisfy({ !missing.contains(stripe.parity[$0.block].device) })
        else { return .infinity }
        for (position, neuron) in stripe.data[rule.lostBlock].neurons.enumerated() {
          var value = 0.0
          for term in rule.data {
            value += Double(term.coefficient) * output(stripe.data[term.block], position)
          }
          for term in rule.parity {
            let factors = stripe.parity[term.block].coefficients
            let parity = zip(factors, stripe.data).reduce(0.0) { sum, pair in
              sum + Double(pair.0) * output(pair.1, position)
            }
            value += Double(term.coefficient) * parity
          }
          worst = max(worst, abs(value - outputs[neuron]))
        }
      }
    }
    return worst
  }
}
