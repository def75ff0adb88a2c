package import Evaluation
package import Foundations
package import Plan
import Resilience

/// What the loss of part of one layer does to a model whose other layers are whole: measured on
/// calibration images, never on test images.
///
/// In nats, by which the undamaged answer becomes less probable. Over layers these add up better than
/// shares of answers do, and they tell a layer whose loss ruins everything from one whose loss ruins
/// everything twice.
package struct LayerDamage: Sendable, Equatable {
  /// By layer: share of the importance that is lost, ascending from 0, and the damage then.
  package var curves: [[Knot]]

  /// One measurement.
  package struct Knot: Sendable, Equatable {
    /// 0 to 1.
    package var lost: Double
    /// Nats.
    package var damage: Double

    /// Makes a knot.
    package init(lost: Double, damage: Double) {
      self.lost = lost
      self.damage = damage
    }
  }

  /// Takes curves.
  package init(_ curves: [[Knot]]) { self.curves = curves }

  /// The failure sets that are looked at: for each number of failures a few, evenly chosen, since
  /// placements treat devices alike.
  static func sets(devices: Int, each: Int) throws(MartletError) -> [[Int]] {
    guard devices > 1 else { return [] }
    let all = try FailureSets.upTo(devices - 1, devices: devices)
    return (1..<devices).flatMap { size in
      let sets = all.filter { $0.count == size }
      let count = min(each, sets.count)
      return (0..<count).map { sets[$0 * sets.count / count] }
    }
  }

  /// Measures each layer with its neurons on one device each, for every number of failures.
  ///
  /// - Parameters:
  ///   - values: where lost neurons are missed; the points of `model`.
  ///   - setsEach: failure sets for each number of failures.
  /// - Throws: what `MaskEffect.of` and `FailureSets.upTo` throw.
  package static func measure(
    _ table: ProtectionTable, values: [ExchangedValue], fill: Plan.Fill, model: MaskedModel,
    images: LabelledImages, setsEach: Int = 1, threads: Int = 1,
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in },
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(MartletError) -> LayerDamage {
    let sets = try LayerDamage.sets(devices: table.devices, each: setsEach)
    let masks = table.options.indices.flatMap { layer in
      sets.map { failed in
        let alive = (0..<table.devices).map { !failed.contains($0) }
        return Mask(
          lost: values.map { value in
            value.layer == layer
              ? table.options[layer][0].placement.lostNeurons(
                alive: alive, isBehindFilters: value.isBehindFilters) : []
          })
      }
    }
    guard !masks.isEmpty else { return LayerDamage(table.options.map { _ in [] }) }
    let effects = try MaskEffect.of(
      masks, fill: fill, model: model, images: images, threads: threads, progress: progress,
      isStopped: isStopped)
    return LayerDamage(
      table.options.indices.map { layer in
        let own = effects[layer * sets.count..<(layer + 1) * sets.count]
        return (0..<table.devices).map { failures in
          let some = zip(sets, own).filter { $0.0.count == failures }
          guard !some.isEmpty else { return Knot(lost: 0, damage: 0) }
          let lost = some.map {
            table.lostShare(table.options[layer][0].placement, layer: layer, failed: $0.0)
          }
          return Knot(
            lost: lost.reduce(0, +) / Double(some.count),
            damage: some.reduce(0) { $0 + $1.1.surprise } / Double(some.count))
        }
      })
  }

  /// The damage when a share of a layer's importance is lost, between knots on straight lines.
  func damage(layer: Int, lost: Double) -> Double {
    let knots = curves[layer]
    guard lost > 0, let last = knots.last else { return 0 }
    for (from, to) in zip(knots, knots.dropFirst()) where lost <= to.lost && to.lost > from.lost {
      let way = (lost - from.lost) / (to.lost - from.lost)
      return from.damage + (to.damage - from.damage) * max(0, way)
    }
    // Beyond what was measured it does not get better.
    return last.damage * max(1, lost / max(last.lost, 1e-9))
  }

  /// The damage of every option, by layer, option and number of failures less one: the mean over all
  /// failure sets of that size.
  func losses(of table: ProtectionTable) throws(MartletError) -> [[[Double]]] {
    let sets = try LayerDamage.sets(devices: table.devices, each: 64)
    return table.options.enumerated().map { layer, options in
      options.map { option in
        (1..<max(2, table.devices)).map { failures in
          let own = sets.filter { $0.count == failures }
          let sum = own.reduce(0) {
            $0
              + damage(
                layer: layer,
                lost: table.lostShare(option.placement, layer: layer, failed: $1))
          }
          return own.isEmpty ? 0 : sum / Double(own.count)
        }
      }
    }
  }
}

extension ProtectionTable {
  /// The share of a layer's importance that is lost with some devices.
  fileprivate func lostShare(
    _ placement: LayerPlacement, layer: Int, failed: [Int]
  ) -> Double {
    let alive = (0..<devices).map { !failed.contains($0) }
    let lost = placement.lostNeurons(
      alive: alive, isBehindFilters: layers[layer].localWeights > 0)
    guard !lost.isEmpty else { return 0 }
    // Half of it counts neurons alike: a neuron that matters little alone may matter with others.
    let whole = importance[layer].reduce(0, +)
    let count = Double(lost.count) / Double(layers[layer].neurons)
    guard whole > 0 else { return count }
    return (count + lost.reduce(0) { $0 + importance[layer][$1] } / whole) / 2
  }
}
