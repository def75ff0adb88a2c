import Engine
import Foundations
import MQTT
import ModelCards
import Plan
import Tensors
import WireProtocol

/// How frames go out.
extension InferenceClient {
  /// Publishes a frame's input: as pixels where it has some and everybody takes them, for that is exact
  /// and short; else in float32 if it is an image, and as the user said if it is none.
  ///
  /// - Parameters:
  ///   - roles: who is to take part.
  ///   - topic: where they read it.
  ///   - rows: those of the input that they read; all if nil.
  /// - Returns: why it could not be sent; nil if it is.
  func publish(_ input: FrameInput, to roles: Attendance, topic: String, rows: Range<Int>? = nil)
    -> MartletError?
  {
    var failure: MartletError?
    func send(_ message: [UInt8]) {
      message.withUnsafeBytes { payload in
        guard failure == nil else { return }
        do throws(MartletError) {
          try client.publish(topic: topic, payload: payload, lane: .bulk)
        } catch {
          failure = error
        }
      }
    }
    encoder.maximumMessageBytes = fit.limit(of: client)
    encoder.fitPieces(to: client)
    if !input.pixels.isEmpty, let pixelShape, input.pixels.count == pixelShape.count,
      core.takePixels(roles)
    {
      var header = header
      header.shape = pixelShape
      var pixels = input.pixels[...]
      if let rows {
        header.shape = pixelShape.replacing(axis: 1, with: rows.count)
        let row = pixelShape.innerCount(after: 1)
        pixels = pixels[(rows.lowerBound * row)..<(rows.upperBound * row)]
      }
      pixels.withUnsafeBufferPointer {
        encoder.encodePixels(
          header, $0, isPacking: configuration.deflatesFrames, publish: send)
      }
      return failure
    }
    guard var values = input.tensor.floats, values.count == header.shape.count else { return nil }
    var header = header
    if let rows {
      let shape = header.shape
      let (plane, width) = (shape.innerCount(after: 1), shape[3])
      values = (0..<shape[1]).flatMap {
        values[($0 * plane + rows.lowerBound * width)..<($0 * plane + rows.upperBound * width)]
      }
      header.shape = shape.replacing(axis: 2, with: rows.count)
    }
    values.withUnsafeBufferPointer { values in
      let type = encoder.elementType
      let isExact =
        type == .float32 || !input.pixels.isEmpty || !PackedElements.survive(values, as: type)
      if isExact {
        plainEncoder.maximumMessageBytes = encoder.maximumMessageBytes
        plainEncoder.pieceBytes = encoder.pieceBytes
        plainEncoder.encode(header, values, publish: send)
      } else {
        encoder.encode(header, values, publish: send)
      }
    }
    return failure
  }
}
