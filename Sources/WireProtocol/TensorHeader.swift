package import Foundations
package import Tensors

/// What a tensor on the wire is: whose part of which layer, for which frame, under which plan.
///
/// It travels as the `__metadata__` of a safetensors file, with all values as text.
package struct TensorHeader: Sendable, Equatable {
  /// The longest plan id in bytes; plan ids consist of letters, digits, `.`, `_` and `-`.
  package static let maximumPlanBytes = 64

  /// The frame's number, given by its client.
  package var frame: UInt64
  /// The stage that made the tensor; 0 for an input.
  package var stage: Int
  /// The sender's epoch.
  package var epoch: UInt64
  /// Counts the sender's messages, for whoever wants to see losses.
  package var sequence: UInt64
  /// The plan's id.
  package let plan: String
  /// The client whose frame it is, or empty.
  package var client: String
  /// The layer's topic id; empty for an input.
  package let layer: String
  /// The sender: a device's id, or a client's for an input.
  package let device: String
  /// The shape of the whole tensor, also when it travels in chunks.
  package var shape: Shape
  /// What else the sender has to say: `Attendance` with an input, a `FillReport` with a part.
  /// At most `maximumNoteBytes` of `a-z`, `0-9`, `:`, `,`, `.`, `_` and `-`; anything else is dropped
  /// when it is set.
  package var note: String = "" {
    didSet { if !TensorHeader.isValidNote(note) { note = "" } }
  }

  /// The longest note in bytes.
  package static let maximumNoteBytes = 8192

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
  package init(
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
