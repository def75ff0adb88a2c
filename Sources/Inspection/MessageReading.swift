public import JSONCoding
public import TensorCore
public import WireProtocol

/// What a message turned out to be.
public struct MessageReading: Sendable, Equatable {
  /// What a payload holds.
  public enum Content: Sendable, Equatable {
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
  public struct TensorReading: Sendable, Equatable {
    /// Whose tensor it is.
    public var header: TensorHeader
    /// The element type on the wire.
    public var elementType: ElementType
    /// What `int8` elements are multiplied with.
    public var scale: Float
    /// The index of this chunk.
    public var chunk: Int
    /// How many chunks the tensor has.
    public var chunks: Int
    /// The elements in this message.
    public var statistics: TensorStatistics
  }

  /// The topic in terms of the contract; nil for any other.
  public var topic: Topic?
  /// What the payload holds.
  public var content: Content
  /// How many bytes stand behind a line of JSON, as in a request that carries a photograph.
  public var attachedBytes = 0
  /// Why the message is not what its topic promises; nil when it is, or promises nothing.
  public var flaw: String?
}
