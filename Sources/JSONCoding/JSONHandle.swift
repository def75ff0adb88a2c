import CJSONC

/// One counted reference to a json-c value, given back exactly once.
///
/// json-c counts references itself. A handle owns one of them: `init(adopting:)` takes over the one
/// that a constructor returned, `init(retaining:)` asks for another. Adding a child to a container
/// consumes a reference, so `add` passes on a fresh one and the handle keeps its own. Whoever reads
/// children of `raw` keeps the handle of the root alive meanwhile.
final class JSONHandle {
  /// The value; nil is JSON's null.
  let raw: OpaquePointer?

  init(adopting raw: OpaquePointer?) { self.raw = raw }

  convenience init(retaining raw: OpaquePointer?) {
    self.init(adopting: json_object_get(raw))
  }

  deinit { json_object_put(raw) }

  /// Sets a member of an object. The caller has checked that the name holds no NUL.
  func add(_ name: String, _ child: JSONHandle) {
    name.withCString { _ = json_object_object_add(raw, $0, json_object_get(child.raw)) }
  }

  /// Appends to an array.
  func append(_ child: JSONHandle) {
    json_object_array_add(raw, json_object_get(child.raw))
  }

  /// Replaces an element of an array.
  func replace(_ index: Int, _ child: JSONHandle) {
    json_object_array_put_idx(raw, index, json_object_get(child.raw))
  }
}

/// The members of an object in their order, borrowed from it.
func forEachMember(
  _ object: OpaquePointer?, _ body: (_ name: UnsafePointer<CChar>, _ value: OpaquePointer?) -> Void
) {
  guard let object else { return }
  var position = json_object_iter_begin(object)
  var end = json_object_iter_end(object)
  while json_object_iter_equal(&position, &end) == 0 {
    if let name = json_object_iter_peek_name(&position) {
      body(name, json_object_iter_peek_value(&position))
    }
    json_object_iter_next(&position)
  }
}
