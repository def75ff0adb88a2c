/// What is known of a frame besides its input; it is repeated with the answer.
public struct FrameOrigin: Sendable, Hashable {
  /// Names the request; made of the client's id and the ticket if nil.
  public var requestID: String?
  /// The input's name, such as a path.
  public var image: String?
  /// The class that is right.
  public var truth: Int?

  /// Nothing is known but what is given.
  public init(requestID: String? = nil, image: String? = nil, truth: Int? = nil) {
    self.requestID = requestID
    self.image = image
    self.truth = truth
  }
}
