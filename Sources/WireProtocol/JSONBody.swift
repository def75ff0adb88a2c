package import Foundations
package import JSONCoding

extension WireMessage {
  /// Reads the body of a call; an absent one is an empty object.
  ///
  /// - Throws: `invalidArgument` for a body that does not fit.
  package init(body: RPCBody, method: RPCMethod) throws(MartletError) {
    let value = try body.value()
    let object = value == .null ? JSONValue.object([]) : value
    do throws(MartletError) {
      try self.init(payload: try JSON.encode(object), source: "\(method)")
    } catch {
      throw MartletError(.invalidArgument, error.description)
    }
  }

  /// The message as the body of an answer.
  ///
  /// - Throws: as `payload`.
  package func body() throws(MartletError) -> JSONValue {
    try JSON.decode(JSONValue.self, from: try payload(), source: "answer")
  }
}
