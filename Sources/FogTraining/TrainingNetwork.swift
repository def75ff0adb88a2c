package import FogNetwork
package import Foundations
import Tensors

/// A whole network in training: units joined by hyperconnections, for batches of a fixed size, of
/// which the first rows may be used alone.
package final class TrainingNetwork<Unit: TrainableUnit> {
  package typealias Scalar = Unit.Scalar

  package let design: FogDesign
  package let batch: Int
  package let units: [Unit]
  package private(set) var flows: [Bool]
  /// Whether anything that reaches the loss has added to a unit's cotangent.
  private var isReached: [Bool]

  package init(
    _ design: FogDesign, batch: Int,
    make: (FogUnit, _ needsInputGradient: Bool) throws(MartletError) -> Unit
  ) throws(MartletError) {
    self.design = design
    self.batch = batch
    units = try design.units.map { unit throws(MartletError) in
      try make(
        unit,
        unit.arrivals.contains {
          if case .unit = $0.origin { true } else { false }
        })
    }
    flows = units.map { _ in false }
    isReached = flows
  }

  package var parameters: [Parameter<Scalar>] { units.flatMap(\.parameters) }

  /// The logits of the last `forward`, `[batch, classes]`.
  package var logits: UnsafePointer<Scalar> { units[units.count - 1].output }

  /// Where the loss's gradient with respect to the logits goes.
  package var cotangent: UnsafeMutablePointer<Scalar> { units[units.count - 1].cotangent }

  /// Computes the logits of samples with only these nodes there.
  ///
  /// - Parameters:
  ///   - samples: `[batch, design.sampleCount]`.
  ///   - alive: by node.
  /// - Returns: false when nothing reaches the cloud; then there are no logits.
  package func forward(_ samples: UnsafePointer<Scalar>, alive: [Bool]) -> Bool {
    flows = design.flow(alive: alive)
    guard flows[flows.count - 1] else { return false }
    for (index, unit) in design.units.enumerated() where flows[index] {
      var isFirst = true
      for arrival in unit.arrivals where arrives(arrival) {
        let (source, stride) =
          switch arrival.origin {
          case .source(let number):
            (samples + design.topology.sources[number].first, design.sampleCount)
          case .unit(let number): (units[number].output, arrival.count)
          }
        HyperconnectionSum.add(
          source, count: arrival.count, stride: stride, weight: Scalar(arrival.weight),
          isFirst: isFirst, to: units[index].input, width: unit.input.count, rows: batch)
        isFirst = false
      }
      units[index].forward()
    }
    return true
  }

  private func arrives(_ arrival: FogUnit.Arrival) -> Bool {
    switch arrival.origin {
    case .source: true
    case .unit(let number): flows[number]
    }
  }

  /// Computes all parameters' gradients after `forward` returned true and `cotangent` was written.
  /// Those of units that nothing flowed through, or out of, are zero.
  package func backward() {
    for index in units.indices { isReached[index] = index == units.count - 1 }
    for index in units.indices.reversed() {
      guard flows[index], isReached[index] else {
        units[index].clearGradients()
        continue
      }
      // All that heard from this unit come later in the order, and have added their part by now.
      units[index].backward()
      guard let gradient = units[index].inputGradient else { continue }
      let unit = design.units[index]
      for arrival in unit.arrivals {
        guard case .unit(let sender) = arrival.origin, flows[sender] else { continue }
        let target = units[sender].cotangent
        if !isReached[sender] {
          target.update(repeating: 0, count: batch * arrival.count)
          isReached[sender] = true
        }
        HyperconnectionSum.addGradient(
          of: gradient, width: unit.input.count, weight: Scalar(arrival.weight), to: target,
          count: arrival.count, rows: batch)
      }
    }
  }
}
