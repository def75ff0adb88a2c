public import TensorCore

/// What a tensor on the wire is: whose part of which layer, for which frame, under which plan.
///
/// It travels as the `__metadata__` of a safetensors file, with all values as text.
public struct TensorHeader: Sendable, Equatable {
  /// The longest plan id in bytes; plan ids consist of letters, digits, `.`, `_` and `-`.
  public static let maximumPlanBytes = 64

  /// The frame's number, given by its client.
  public var frame: UInt64
  /// The stage that made the tensor; 0 for an input.
  public var stage: Int
  /// The sender's epoch.
  public var epoch: UInt64
  /// Counts the sender's messages, for whoever wants to see losses.
  public var sequence: UInt64
  /// The plan's id.
  public let plan: String
  /// The client whose frame it is, or empty.
  public var client: String
  /// The layer's topic id; empty for an input.
  public let layer: String
  /// The sender: a device's id, or a client's for an input.
  public let device: String
  /// The shape of the whole tensor, also when it travels in chunks.
  public var shape: Shape
  /// What else the sender has to say: `Attendance` with an input, a `FillReport` with a part.
  /// At most `maximumNoteBytes` of `a-z`, `0-9`, `:`, `,`, `.`, `_` and `-`; anything else is dropped
  /// when it is set.
  public var note: String = "" {
    didSet { if !TensorHeader.isValidNote(note) { note = "" } }
  }

  /// The longest note in bytes.
  public static let maximumNoteBytes = 8192

  static func isValidNote(_ text: String) -> Bool {
    text.utf8.count <= maximumNoteBytes
      && text.utf8.allSatisfy {
        isPlanByte($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ",")
      }
  }

  /// Makes a header. What is a variable may be changed for each message.
  ///
  /// - Throws: `MartletError.Code.invalidArgument` when an id is not one, or a number is negative
  ///   or above 2^53 - 1.
  public init(
    frame: UInt64 = 0, stage: Int = 0, epoch: UInt64 = 0, sequence: UInt64 = 0, plan: String,
    client: String = "", layer: String = "", device: String, shape: Shape
  ) throws(MartletError) {
    guard
      TensorHeader.areValid(
        plan: plan, client: client, layer: layer, device: device, frame: frame, stage: stage,
        epoch: epoch), !plan.isEmpty, !device.isEmpty
    else {
      throw MartletError(
        .invalidArgument, "a tensor message cannot carry this name or number",
        context: [
          "plan": plan, "client": client, "layer": layer, "device": device, "frame": "\(frame)",
          "stage": "\(stage)", "epoch": "\(epoch)",
        ])
    }
    self.init(
      unchecked: (), frame: frame, stage: stage, epoch: epoch, sequence: sequence, plan: plan,
      client: client, layer: layer, device: device, shape: shape)
  }

  init(
    unchecked: Void, frame: UInt64, stage: Int, epoch: UInt64, sequence: UInt64, plan: String,
    client: String, layer: String, device: String, shape: Shape, note: String = ""
  ) {
    self.note = note
    self.frame = frame
    self.stage = stage
    self.epoch = epoch
    self.sequence = sequence
    self.plan = plan
    self.client = client
    self.layer = layer
    self.device = device
    self.shape = shape
  }

  /// Whether every id may be written between quotation marks and every number read by anybody.
  /// A decoded message may leave ids out.
  static func areValid(
    plan: String, client: String, layer: String, device: String, frame: UInt64, stage: Int,
    epoch: UInt64
  ) -> Bool {
    plan.utf8.count <= maximumPlanBytes && plan.utf8.allSatisfy(isPlanByte)
      && [client, layer, device].allSatisfy { $0.isEmpty || Identifier.isValid($0) }
      && frame <= Epoch.maximum && epoch <= Epoch.maximum && (0...maximumStage).contains(stage)
  }

  /// More stages than any network has.
  static let maximumStage = 1 << 20

  static func isPlanByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
