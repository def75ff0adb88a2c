import ModelGraph
import TensorFiles
package import Tensors

/// Every constant that a device (nil: the client) may need in any attendance, each once.
///
/// Blocks of neurons and parity blocks are the same in every attendance, so two programs have them
/// all: one in which every stand-in computes, and one in which every coded layer is decoded as well.
package struct ShardInventory: Sendable {
  /// One tensor of a shard.
  package struct Entry: Sendable, Hashable {
    /// The tensor's name in the shard.
    package var name: String
    /// How it is made from the model's constants.
    package var slice: ConstantSlice
    /// Its shape.
    package var shape: Shape
    /// How it is stored, unless that cannot hold its layer's weights: then as float32.
    package var storage: ElementType

    /// The name and that of the tensor with the scales of its rows, where it has any.
    var storedName: SafetensorsFile.StoredName {
      SafetensorsFile.StoredName(elements: name, scales: Entry.scalesName(name))
    }

    static func scalesName(_ name: String) -> String { name + "#scales" }
  }

  /// In the order of the shard.
  package let entries: [Entry]

  /// Lists a device's constants.
  package init(_ plan: Plan, device: Int?) {
    let isCoded = plan.placements.contains { $0.code != nil }
    var slices: Set<ConstantSlice> = []
    for decoding in isCoded ? [false, true] : [false] {
      let variant = PlanVariant(everythingOf: plan, decoding: decoding)
      slices.formUnion(
        DeviceLowering.program(plan, variant, device: device).constants.values)
    }
    var entries: [Entry] = []
    var taken: Set<String> = []
    let storable = plan.weights == .f32 ? [] : plan.graph.storableWeights
    for slice in slices.sorted(by: ShardInventory.precedes) {
      let value = plan.graph[slice.source]
      var name = value.name
      var number = 2
      let storage = plan.storage(of: slice, storable)
      func isTaken(_ name: String) -> Bool {
        taken.contains(name) || (storage.hasScale && taken.contains(Entry.scalesName(name)))
      }
      while isTaken(name) {
        name = "\(value.name)#\(number)"
        number += 1
      }
      taken.insert(name)
      if storage.hasScale { taken.insert(Entry.scalesName(name)) }
      entries.append(
        Entry(
          name: name, slice: slice, shape: slice.shape(from: value.shape), storage: storage))
    }
    self.entries = entries
  }

  /// Bytes of weights, as they are stored.
  package var bytes: Int {
    entries.reduce(0) { $0 + StoredTensor.bytes($1.shape, $1.storage) }
  }

  /// By source; of one source copies before sums, then by their first indices.
  private static func precedes(_ a: ConstantSlice, _ b: ConstantSlice) -> Bool {
    if a.source != b.source { return a.source < b.source }
    if (a.sums == nil) != (b.sums == nil) { return a.sums == nil }
    func flat(_ slice: ConstantSlice) -> [Int] {
      slice.selections.flatMap { [$0.axis] + $0.indices }
        + (slice.sums ?? []).flatMap { $0.map(\.index) }
    }
    let (left, right) = (flat(a), flat(b))
    if left != right { return left.lexicographicallyPrecedes(right) }
    func factors(_ slice: ConstantSlice) -> [Float] {
      (slice.sums ?? []).flatMap { $0.map(\.factor) }
    }
    return factors(a).lexicographicallyPrecedes(factors(b))
  }
}
