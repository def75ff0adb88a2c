/// What is known of a frame besides its input; it is repeated with the answer.
package struct FrameOrigin: Sendable, Hashable {
  /// Names the request; made of the client's id and the ticket if nil.
  package var requestID: String?
  /// The input's name, such as a path.
  package var image: String?
  /// The class that is right.
  package var truth: Int?

  /// Nothing is known but what is given.
  package init(requestID: String? = nil, image: String? = nil, truth: Int? = nil) {
    self.requestID = requestID
    self.image = image
    self.truth = truth
  }
}
