import Foundations
package import Tensors
package import WireProtocol

/// Puts tensors together from messages of many senders, within a budget of memory.
package struct TensorCollector {
  /// A whole tensor and what to call it.
  package struct Collected: Sendable {
    /// Ids and numbers only: usable as the name of a file, without an ending. At most 160 bytes.
    package var name: String
    /// The elements as float32, whatever they travelled as.
    package var tensor: Tensor
    /// What the sender said of it, and `wire`, the type it travelled as.
    package var metadata: [(key: String, value: String)]
  }

  private struct Key: Hashable {
    var topic: String
    var client: String
  }

  private struct Unfinished {
    var assembler: ChunkAssembler
    var lastUse: UInt64
    var bytes: Int { assembler.shape.count * MemoryLayout<Float>.size }
  }

  /// The most tensors that are being put together.
  package static let maximumUnfinished = 256
  /// The most bytes of elements of all tensors that are being put together, and of any one.
  package let maximumBytes: Int
  /// Tensors that would have taken more than `maximumBytes`.
  package private(set) var refused: UInt64 = 0
  /// Tensors given up because chunks were missing, or others needed the room.
  package private(set) var abandoned: UInt64 = 0
  private let root: TopicRoot
  private var unfinished: [Key: Unfinished] = [:]
  private var bytes = 0
  private var uses: UInt64 = 0

  /// Collects at most 256 MiB at a time unless told otherwise.
  package init(root: TopicRoot, maximumBytes: Int = 256 << 20) {
    self.root = root
    self.maximumBytes = maximumBytes
  }

  /// Takes a message in; the tensor that it completes, if any.
  package mutating func receive(_ message: TensorMessage, topic: String) -> Collected? {
    let shape = message.header.shape
    guard shape.count * MemoryLayout<Float>.size <= maximumBytes else {
      refused += 1
      return nil
    }
    if message.chunks == 1 {
      let values = [Float](unsafeUninitializedCapacity: message.count) { buffer, count in
        let target = UnsafeMutableBufferPointer(rebasing: buffer[..<message.count])
        count = message.decodeElements(into: target) ? message.count : 0
      }
      guard values.count == message.count else { return nil }
      return collected(message, Tensor(shape, values), topic)
    }
    let key = Key(topic: topic, client: message.header.client)
    makeRoom(for: shape, key)
    var entry = unfinished[key] ?? begin(shape)
    // Taken out while it changes, so that its elements are not copied.
    unfinished[key] = nil
    uses += 1
    entry.lastUse = uses
    let before = entry.assembler.abandoned
    let outcome = entry.assembler.receive(message)
    abandoned += UInt64(entry.assembler.abandoned - before)
    guard outcome == .complete else {
      unfinished[key] = entry
      return nil
    }
    bytes -= entry.bytes
    return entry.assembler.withElements { collected(message, Tensor(shape, Array($0)), topic) }
  }

  private mutating func begin(_ shape: Shape) -> Unfinished {
    let entry = Unfinished(assembler: ChunkAssembler(shape: shape), lastUse: uses)
    bytes += entry.bytes
    return entry
  }

  /// Gives up what is in the way of a tensor: another shape under the same name, then the oldest.
  private mutating func makeRoom(for shape: Shape, _ key: Key) {
    if let entry = unfinished[key] {
      if entry.assembler.shape == shape { return }
      abandon(key)
    }
    let needed = shape.count * MemoryLayout<Float>.size
    while bytes + needed > maximumBytes || unfinished.count >= TensorCollector.maximumUnfinished {
      guard let oldest = unfinished.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
      abandon(oldest.key)
    }
  }

  private mutating func abandon(_ key: Key) {
    guard let entry = unfinished.removeValue(forKey: key) else { return }
    bytes -= entry.bytes
    abandoned += 1
  }

  private func collected(
    _ message: TensorMessage, _ tensor: Tensor, _ topic: String
  ) -> Collected {
    let header = message.header
    var metadata = [
      ("frame", "\(header.frame)"), ("stage", "\(header.stage)"), ("epoch", "\(header.epoch)"),
      ("plan", header.plan), ("seq", "\(header.sequence)"), ("client", header.client),
      ("layer", header.layer), ("device", header.device), ("wire", message.elementType.rawValue),
    ]
    if !header.note.isEmpty { metadata.append(("note", header.note)) }
    return Collected(
      name: name(header, topic), tensor: tensor, metadata: metadata.map { (key: $0, value: $1) })
  }

  /// From checked ids only, so that no topic can lead out of a folder.
  private func name(_ header: TensorHeader, _ topic: String) -> String {
    var parts: [String]
    // Of one frame, each device may get another strip.
    switch root.parse(topic) {
    case .activation(let layer, let device): parts = ["act", layer, device]
    case .input(let client, let device):
      parts = ["input", client] + (device.map { [$0] } ?? []) + ["frame-\(header.frame)"]
      return parts.joined(separator: ".")
    default: parts = [Identifier.make(from: topic)]
    }
    if !header.client.isEmpty { parts.append(header.client) }
    parts.append("frame-\(header.frame)")
    return parts.joined(separator: ".")
  }
}
