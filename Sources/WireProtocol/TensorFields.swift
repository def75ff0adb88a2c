import Tensors

/// The fields of a tensor message as they stand in its header, before any check of their sense.
struct TensorFields {
  var frame = 0
  var stage = 0
  var epoch = 0
  var plan = ""
  var sequence = 0
  var client = ""
  var layer = ""
  var device = ""
  var note = ""
  var chunk = 0
  var chunks = 1
  var offset = 0
  /// The bytes of the whole tensor; nil when not said.
  var bytes: Int?
  /// The extents of the whole tensor; nil when not said.
  var shape: [Int]?
  var scale: Float = 1
  /// How the elements are packed; empty for not at all.
  var packing = ""
  /// The elements in this message, where the data do not tell because they are packed.
  var packedCount: Int?
  var type = ElementType.float32
  /// The extents of the elements in this message.
  var dataShape: [Int] = []
  var dataStart = 0
  var dataEnd = 0

  init() {}

  /// Reads a header in exactly the form that `TensorEncoder` writes; nil for any other, valid or
  /// not.
  init?(fixedForm header: UnsafeRawBufferPointer) {
    guard var cursor = ByteCursor(header) else { return nil }
    func number(_ prefix: StaticString, _ field: inout Int) -> Bool {
      guard cursor.skip(prefix), let value = cursor.decimal() else { return false }
      field = value
      return true
    }
    func text(_ prefix: StaticString, _ field: inout String) -> Bool {
      guard cursor.skip(prefix), let value = cursor.text(atMost: 64) else { return false }
      field = value
      return true
    }
    guard number("{\"__metadata__\":{\"frame\":\"", &frame), number("\",\"stage\":\"", &stage),
      number("\",\"epoch\":\"", &epoch), text("\",\"plan\":\"", &plan),
      number("\",\"seq\":\"", &sequence), text("\",\"client\":\"", &client),
      text("\",\"layer\":\"", &layer), text("\",\"device\":\"", &device),
      number("\",\"chunk\":\"", &chunk), number("\",\"chunks\":\"", &chunks),
      number("\",\"offset\":\"", &offset), cursor.skip("\",\"bytes\":\""),
      let bytes = cursor.decimal(), cursor.skip("\",\"shape\":\""), let shape = cursor.decimals()
    else { return nil }
    self.bytes = bytes
    self.shape = shape
    if cursor.skip("\",\"note\":\"") {
      guard let value = cursor.text(atMost: TensorHeader.maximumNoteBytes) else { return nil }
      note = value
    }
    if cursor.skip("\",\"scale\":\"") {
      guard let digits = cursor.text(atMost: 32), let value = Float(digits) else { return nil }
      scale = value
    }
    if cursor.skip("\",\"packing\":\"") {
      guard let name = cursor.text(atMost: 32), cursor.skip("\",\"count\":\""),
        let count = cursor.decimal()
      else { return nil }
      packing = name
      packedCount = count
    }
    var typeName = ""
    guard text("\"},\"tensor\":{\"dtype\":\"", &typeName),
      let type = ElementType(rawValue: typeName),
      cursor.skip("\",\"shape\":["), let dataShape = cursor.decimals(),
      cursor.skip("],\"data_offsets\":[0,"), let dataEnd = cursor.decimal(), cursor.skip("]}}"),
      cursor.isAtEnd()
    else { return nil }
    self.type = type
    self.dataShape = dataShape
    self.dataEnd = dataEnd
  }
}
