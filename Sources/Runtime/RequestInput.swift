import Foundations
import Imaging
import ModelCards
import TensorFiles
import Tensors
import WireProtocol

/// Turns what a stranger sent into a model's input.
struct RequestInput: Sendable {
  /// Enough for the photographs of today's cameras; three bytes each while they are decoded.
  static let maximumPixels = 50_000_000

  let shape: Shape
  let preprocessing: Preprocessing?

  /// The input for a JPEG, a PNG or a safetensors file with one tensor.
  ///
  /// - Throws: `invalidFile`, `invalidShape` or `resourceExhausted` for what is not one, and
  ///   `unsupported` for an image if the model takes none.
  func input(_ bytes: [UInt8]) throws(MartletError) -> FrameInput {
    guard let kind = FileKind(of: bytes), kind != .safetensors else {
      return FrameInput(try checked(try decodeTensor(bytes)))
    }
    guard kind.isImage else {
      throw MartletError(
        .invalidFile, "\(kind.rawValue) is no input",
        hint: "send a JPEG, a PNG, or a safetensors file with one tensor of F32 or F16")
    }
    guard let preprocessing else {
      throw MartletError(
        .unsupported, "this model does not take images; send a tensor",
        context: ["shape": "\(shape)"])
    }
    let image = try Image.decode(bytes, source: "request", limit: RequestInput.maximumPixels)
    let input = try preprocessing.input(image)
    _ = try checked(input.tensor)
    return input
  }

  private func decodeTensor(_ bytes: [UInt8]) throws(MartletError) -> Tensor {
    let header = try SafetensorsHeader.decode(bytes, source: "request")
    guard header.entries.count == 1, let entry = header.entries.first else {
      throw MartletError(
        .invalidFile, "a request has one tensor", context: ["tensors": "\(header.entries.count)"])
    }
    guard entry.elementType == .float32 || entry.elementType == .float16 else {
      throw MartletError(
        .invalidFile, "a request's tensor is F32 or F16",
        context: ["dtype": entry.elementType.rawValue])
    }
    // The header says how large the data are, and they are all here: nothing larger is allocated.
    let data = bytes[header.dataOffset...]
    let values =
      entry.elementType == .float32
      ? RequestInput.copy(data, count: entry.shape.count, zero: Float(0))
      : RequestInput.widened(RequestInput.copy(data, count: entry.shape.count, zero: UInt16(0)))
    return Tensor(entry.shape, values)
  }

  /// Elements that may lie anywhere.
  private static func copy<Element>(
    _ data: ArraySlice<UInt8>, count: Int, zero: Element
  ) -> [Element] {
    var values = [Element](repeating: zero, count: count)
    values.withUnsafeMutableBytes { target in data.withUnsafeBytes { target.copyMemory(from: $0) } }
    return values
  }

  private static func widened(_ halves: [UInt16]) -> [Float] {
    var values = [Float](repeating: 0, count: halves.count)
    halves.withUnsafeBufferPointer { source in
      values.withUnsafeMutableBufferPointer { HalfPrecision.decode(source, into: $0) }
    }
    return values
  }

  private func checked(_ tensor: Tensor) throws(MartletError) -> Tensor {
    guard tensor.shape == shape else {
      throw MartletError(
        .invalidShape, "the model takes another shape",
        context: ["shape": "\(tensor.shape)", "expected": "\(shape)"])
    }
    guard let values = tensor.floats, values.allSatisfy(\.isFinite) else {
      throw MartletError(.invalidFile, "a request's tensor holds infinities or NaN")
    }
    return tensor
  }
}
