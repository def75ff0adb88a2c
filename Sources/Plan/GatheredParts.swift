import Tensors

/// What makes up a gathered value: who sends which channels, and who else could.
struct GatheredParts {
  var parts: [DeviceProgram.Part]
  var slots: [DeviceProgram.Slot]

  /// Nothing, where it is not of interest who sends what.
  static let nothing = GatheredParts([])

  /// Each part is a slot of its own.
  init(_ parts: [DeviceProgram.Part]) {
    self.parts = parts
    slots = parts.map { part in
      DeviceProgram.Slot(
        candidates: [part.device], channels: part.runs.map { $0.target..<($0.target + $0.count) })
    }
    for index in parts.indices {
      self.parts[index].pieces = [.init(slot: index, runs: parts[index].runs)]
    }
  }

  /// Parts that overlap: every holder of a neuron sends it.
  ///
  /// - Parameters:
  ///   - holders: by neuron, in order of preference.
  ///   - sent: by device, the neurons of its part in the order of its channels.
  init(holders: [[Int]], sent: [[Int]], shape: Shape, axis: Int) {
    var numbers: [[Int]: Int] = [:]
    parts = []
    slots = []
    for (neuron, devices) in holders.enumerated() {
      if numbers[devices] == nil {
        numbers[devices] = slots.count
        slots.append(DeviceProgram.Slot(candidates: devices, channels: []))
      }
      guard let slot = numbers[devices] else { continue }
      if let last = slots[slot].channels.last, last.upperBound == neuron {
        slots[slot].channels[slots[slot].channels.count - 1] = last.lowerBound..<(neuron + 1)
      } else {
        slots[slot].channels.append(neuron..<(neuron + 1))
      }
    }
    for (device, neurons) in sent.enumerated() where !neurons.isEmpty {
      let pieces = slots.indices.filter { slots[$0].candidates.contains(device) }.map { slot in
        DeviceProgram.Part.Piece(
          slot: slot,
          runs: Self.runs(neurons) { numbers[holders[$0]] == slot ? $0 : nil })
      }
      parts.append(
        .init(
          device: device, shape: shape.replacing(axis: axis, with: neurons.count), pieces: pieces))
    }
  }

  /// What a device sends of a value; nil when nothing of it is used.
  static func part(
    of device: Int, neurons: [Int], shape: Shape, axis: Int, target: (Int) -> Int?
  ) -> DeviceProgram.Part? {
    let runs = runs(neurons, target: target)
    guard !runs.isEmpty else { return nil }
    return DeviceProgram.Part(
      device: device, shape: shape.replacing(axis: axis, with: neurons.count),
      pieces: [.init(slot: 0, runs: runs)])
  }

  private static func runs(
    _ neurons: [Int], target: (Int) -> Int?
  ) -> [DeviceProgram.Part.Run] {
    var runs: [DeviceProgram.Part.Run] = []
    for (source, neuron) in neurons.enumerated() {
      guard let target = target(neuron) else { continue }
      if let last = runs.last, last.source + last.count == source,
        last.target + last.count == target
      {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(.init(source: source, target: target, count: 1))
      }
    }
    return runs
  }
}

extension DeviceLowering {
  /// Each neuron from the one device whose copy is used.
  func partsOfOwners(_ layer: Int, shape: Shape, axis: Int) -> GatheredParts {
    let assignment = layers[layer]
    return GatheredParts(
      plan.devices.indices.compactMap { device in
        GatheredParts.part(
          of: device, neurons: assignment.sent(by: device), shape: shape, axis: axis
        ) { assignment.owners[$0] == device ? $0 : nil }
      })
  }

  /// Each neuron from every device that holds it.
  func partsOfAllHolders(_ layer: Int, shape: Shape, axis: Int) -> GatheredParts {
    GatheredParts(
      holders: plan.placements[layer].holders,
      sent: plan.devices.indices.map { layers[layer].blocks[$0].flatMap { $0 } }, shape: shape,
      axis: axis)
  }
}
