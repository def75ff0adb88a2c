import Foundations
import Kernels
import Plan
import WireProtocol

/// The elements of a part, as received or as kept.
enum PartElements {
  /// A whole part in one message, still encoded.
  case message(TensorMessage)
  /// Decoded elements.
  case floats([Float])

  var count: Int {
    switch self {
    case .message(let message): message.count
    case .floats(let elements): elements.count
    }
  }

  /// The elements, decoded.
  func floats() -> [Float] {
    switch self {
    case .floats(let elements): return elements
    case .message(let message):
      return [Float](unsafeUninitializedCapacity: message.count) { buffer, initialised in
        message.copyElements(
          into: UnsafeMutableBufferPointer(rebasing: buffer[..<message.count]))
        initialised = message.count
      }
    }
  }

  /// Writes some pieces of the part to their places in the gathered value: one copy where the part is
  /// one run of it.
  func place(
    _ pieces: [DeviceProgram.Part.Piece], of part: DeviceProgram.Part,
    gathering: DeviceProgram.Gathering, engine: DeviceEngine, in execution: Execution
  ) {
    if case .message(let message) = self,
      engine.withRun(of: part, gathering: gathering, in: execution, message.copyElements)
    {
      return
    }
    floats().withUnsafeBufferPointer { elements in
      for piece in pieces {
        engine.place(elements, part, piece, gathering: gathering, in: execution)
      }
    }
  }
}
