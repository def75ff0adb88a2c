package import JSONCoding
package import Tensors
package import WireProtocol

/// What a message turned out to be.
package struct MessageReading: Sendable, Equatable {
  /// What a payload holds.
  package enum Content: Sendable, Equatable {
    /// Nothing: such a message also clears a retained one.
    case empty
    /// A tensor, or a chunk of one.
    case tensor(TensorReading)
    /// A JSON document.
    case json(JSONValue)
    /// Text without control characters that is not JSON.
    case text(String)
    /// Anything else: the first bytes.
    case bytes([UInt8])
  }

  /// A tensor message without its elements.
  package struct TensorReading: Sendable, Equatable {
    /// Whose tensor it is.
    package var header: TensorHeader
    /// The element type on the wire.
    package var elementType: ElementType
    /// What `int8` elements are multiplied with.
    package var scale: Float
    /// The index of this chunk.
    package var chunk: Int
    /// How many chunks the tensor has.
    package var chunks: Int
    /// The elements in this message.
    package var statistics: TensorStatistics
  }

  /// The topic in terms of the contract; nil for any other.
  package var topic: Topic?
  /// What the payload holds.
  package var content: Content
  /// How many bytes stand behind a line of JSON, as in a request that carries a photograph.
  package var attachedBytes = 0
  /// Why the message is not what its topic promises; nil when it is, or promises nothing.
  package var flaw: String?
}
