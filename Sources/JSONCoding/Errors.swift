import Foundations

/// `layers[3].name`, or `(root)`.
func describe(_ path: [any CodingKey]) -> String {
  var text = ""
  for key in path {
    if let index = key.intValue, key is IndexKey {
      text += "[\(index)]"
    } else {
      text += text.isEmpty ? key.stringValue : "." + key.stringValue
    }
  }
  return text.isEmpty ? "(root)" : text
}

/// The position of an element in an array.
struct IndexKey: CodingKey {
  let index: Int
  init(_ index: Int) { self.index = index }
  init?(stringValue: String) { nil }
  init?(intValue: Int) { self.index = intValue }
  var stringValue: String { "[\(index)]" }
  var intValue: Int? { index }
}

/// A member by its name only: `super`, and the names of a `JSONValue`.
struct NameKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// Turns whatever reading a value threw into the error that a user sees.
func readingError(_ error: any Error, source: String) -> MartletError {
  var reason = "\(error)"
  var path: [any CodingKey] = []
  switch error {
  case let error as MartletError:
    return error.adding("source", source)
  case DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context),
    DecodingError.valueNotFound(_, let context):
    reason = context.debugDescription
    path = context.codingPath
  case DecodingError.keyNotFound(let key, let context):
    reason = "\"\(key.stringValue)\" is missing"
    path = context.codingPath
  default: break
  }
  return MartletError(
    .invalidFile, "a JSON document does not fit: \(reason)",
    context: ["source": source, "path": describe(path)])
}

/// Turns whatever writing a value threw into the error that a user sees.
func writingError(_ error: any Error) -> MartletError {
  var reason = "\(error)"
  var path: [any CodingKey] = []
  switch error {
  case let error as MartletError:
    return error
  case EncodingError.invalidValue(_, let context):
    reason = context.debugDescription
    path = context.codingPath
  default: break
  }
  return MartletError(
    .invalidArgument, "a value cannot be written as JSON: \(reason)",
    context: ["path": describe(path)])
}
