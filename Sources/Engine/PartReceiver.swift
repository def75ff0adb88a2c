import Plan
import Tensors
import WireProtocol

/// Turns untrusted messages on `act` topics into parts: checks each against the plan and puts chunked
/// ones together. Bounded by the plan: at most one unfinished part per exchange and device.
struct PartReceiver {
  /// A complete part.
  struct ReceivedPart {
    var exchange: Int
    var device: Int
    var header: TensorHeader
    var elements: PartElements
    /// Whether no element is an infinity or NaN. One that has any is of no use, and whatever is
    /// computed from it neither: it counts as damaged, whether its device computed or the way damaged
    /// it.
    var isFinite: Bool
  }

  private let validator: PartValidator
  /// Exchange and device of each of the validator's parts.
  private let origins: [(exchange: Int, device: Int)]
  private var assemblers: [Int: ChunkAssembler] = [:]

  /// - Parameter exchanges: the numbers of the exchanges that are gathered here.
  init(plan: Plan, planID: String, exchanges: Set<Int>) {
    var parts: [PartValidator.ExpectedPart] = []
    var origins: [(exchange: Int, device: Int)] = []
    for exchange in exchanges.sorted() {
      let point = plan.exchanges[exchange]
      for device in point.senders {
        parts.append(
          .init(
            layer: point.id, device: plan.devices[device].name, shape: point.shape,
            axis: point.axis, maximumExtent: point.maximumExtent, mayBeNull: point.isWhole))
        origins.append((exchange, device))
      }
    }
    validator = PartValidator(plan: planID, parts: parts)
    self.origins = origins
  }

  /// Reads one message.
  ///
  /// - Parameters:
  ///   - piece: gets device and epoch of a message that fits and completes no part yet.
  ///   - body: gets the part if the message completes one; what it lends must not be kept.
  mutating func receive(
    _ payload: [UInt8], on topic: Topic, knownEpoch: (String) -> UInt64?,
    piece: (Int, UInt64) -> Void = { _, _ in }, body: (ReceivedPart) -> Void
  ) -> RejectReason? {
    payload.withUnsafeBytes { bytes in
      guard let message = try? TensorMessage(decoding: bytes), !message.isPixels else {
        return .garbage
      }
      let number: Int
      switch validator.check(message.header, on: topic, knownEpoch: knownEpoch) {
      case .failure(let reason): return reason
      case .success(let index): number = index
      }
      let origin = origins[number]
      if message.chunks == 1 {
        body(
          ReceivedPart(
            exchange: origin.exchange, device: origin.device, header: message.header,
            elements: .message(message), isFinite: message.isFinite))
        return nil
      }
      // Parts change their shape when others stand in or no longer do.
      let shape = message.header.shape
      if assemblers[number]?.shape != shape { assemblers[number] = ChunkAssembler(shape: shape) }
      switch assemblers[number, default: ChunkAssembler(shape: shape)].receive(message) {
      case .incomplete:
        piece(origin.device, message.header.epoch)
        return nil
      case .duplicate: return .duplicate
      case .late: return .late
      case .rejected(let reason): return reason
      case .complete:
        assemblers[number]?.withElements { elements in
          body(
            ReceivedPart(
              exchange: origin.exchange, device: origin.device, header: message.header,
              elements: .floats(Array(elements)), isFinite: PackedElements.areFinite(elements)))
        }
        return nil
      }
    }
  }
}
