import CJSONC
import Foundations

extension JSONHandle {
  /// Parses one complete document.
  static func parse(
    _ bytes: UnsafeRawBufferPointer, source: String, limits: JSON.Limits
  ) throws(MartletError) -> JSONHandle {
    guard bytes.count <= min(limits.bytes, Int(Int32.max) - 1) else {
      throw MartletError(
        .resourceExhausted, "a JSON document is larger than allowed",
        context: ["source": source, "bytes": "\(bytes.count)", "limit": "\(limits.bytes)"])
    }
    if let flaw = lexicalFlaw(bytes) {
      throw syntaxError(flaw.reason, offset: flaw.offset, source: source)
    }
    guard let tokener = json_tokener_new_ex(Int32(clamping: max(1, limits.depth))) else {
      throw MartletError(.resourceExhausted, "no memory for a JSON parser")
    }
    defer { json_tokener_free(tokener) }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT)

    var root = JSONHandle(
      adopting: json_tokener_parse_ex(
        tokener, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count)))
    var status = json_tokener_get_error(tokener)
    var offset = json_tokener_get_parse_end(tokener)
    if status == json_tokener_continue {
      // A number at the root ends only where something else follows.
      root = JSONHandle(adopting: json_tokener_parse_ex(tokener, " ", 1))
      status = json_tokener_get_error(tokener)
      offset = bytes.count
    }
    switch status {
    case json_tokener_success:
      guard bytes[offset...].allSatisfy(isJSONSpace) else {
        throw syntaxError("text follows the end of the document", offset: offset, source: source)
      }
      return root
    case json_tokener_continue:
      throw syntaxError("the document ends early", offset: bytes.count, source: source)
    case json_tokener_error_depth:
      throw syntaxError(
        "nested deeper than \(limits.depth) levels", offset: offset, source: source)
    default:
      throw syntaxError(
        String(cString: json_tokener_error_desc(status)), offset: offset, source: source)
    }
  }
}

private func syntaxError(_ reason: String, offset: Int, source: String) -> MartletError {
  MartletError(
    .invalidFile, "not a JSON document: \(reason)",
    context: ["source": source, "offset": "\(offset)"])
}
