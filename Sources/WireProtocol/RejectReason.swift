/// Why an incoming message was not used. The raw values stand in logs and statistics.
package enum RejectReason: String, Error, Sendable, Codable, CaseIterable {
  /// Not a message of the contract: unreadable, or with numbers that contradict each other.
  case garbage
  /// An image as a request, without anything that says who asks.
  case noEnvelope
  /// Longer than any message of its kind may be.
  case tooLarge
  /// A topic that means nothing here.
  case unknownTopic
  /// The payload names another layer, device or client than the topic.
  case topicDisagrees
  /// A layer that the plan does not have, or whose part that device does not hold.
  case unknownLayer
  /// A device that the plan does not have.
  case unknownDevice
  /// Made under another plan.
  case wrongPlan
  /// Another shape than the plan gives that part.
  case wrongShape
  /// With infinities or NaN among its elements.
  case notFinite
  /// Sent by an earlier run of its device.
  case staleEpoch
  /// Presence with an epoch too far ahead of the clock here.
  case futureEpoch
  /// For a frame that is already done.
  case late
  /// Already here.
  case duplicate
  /// For a frame too far ahead of the current one.
  case tooFarAhead
  /// There was no room to keep it.
  case noRoom
}
