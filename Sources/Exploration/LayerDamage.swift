public import Evaluation
import Plan
import Resilience
public import TensorCore

/// What the loss of devices does to a model when only one layer feels it: measured on calibration
/// images, never on test images.
public struct LayerDamage: Sendable, Equatable {
  /// By layer, option of a `ProtectionTable`, and number of failures less one: the mean loss of
  /// confidence in the undamaged answer, 0 to 1.
  public var values: [[[Double]]]

  /// Takes measured values.
  public init(_ values: [[[Double]]]) { self.values = values }

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

  /// Measures every option of every layer.
  ///
  /// - Parameters:
  ///   - values: where lost neurons are missed; the points of `model`.
  ///   - setsEach: failure sets for each number of failures.
  /// - Throws: what `MaskEffect.of` and `FailureSets.upTo` throw.
  public static func measure(
    _ table: ProtectionTable, values: [ExchangedValue], fill: ChannelFill, model: MaskedModel,
    images: LabelledImages, setsEach: Int = 2, threads: Int = 1,
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in },
    isStopped: @escaping @Sendable () -> Bool = { false }
  ) throws(MartletError) -> LayerDamage {
    let sets = try LayerDamage.sets(devices: table.devices, each: setsEach)
    var masks: [Mask] = []
    var numbers: [Mask: Int] = [:]
    var wanted: [[[(failures: Int, mask: Int?)]]] = []
    for (layer, options) in table.options.enumerated() {
      wanted.append(
        options.map { option in
          sets.map { failed in
            let alive = (0..<table.devices).map { !failed.contains($0) }
            let mask = Mask(
              lost: values.map { value in
                value.layer == layer
                  ? option.placement.lostNeurons(
                    alive: alive, isBehindFilters: value.isBehindFilters) : []
              })
            guard !mask.isEmpty else { return (failed.count, nil) }
            let number = numbers[mask] ?? masks.count
            if number == masks.count {
              numbers[mask] = number
              masks.append(mask)
            }
            return (failed.count, number)
          }
        })
    }
    let effects = try MaskEffect.of(
      masks, fill: fill, model: model, images: images, threads: threads, progress: progress,
      isStopped: isStopped)
    return LayerDamage(
      wanted.map { options in
        options.map { measured in
          (1..<max(2, table.devices)).map { failures in
            let own = measured.filter { $0.failures == failures }
            let sum = own.reduce(0) { $0 + ($1.mask.map { effects[$0].confidenceLoss } ?? 0) }
            return own.isEmpty ? 0 : sum / Double(own.count)
          }
        }
      })
  }
}
