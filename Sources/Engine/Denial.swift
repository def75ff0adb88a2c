package import WireProtocol

/// Parts that do not come here although their device works, in words for whoever set up the broker.
package struct Denial: Sendable, Equatable {
  /// What to log.
  package enum Notice: Sendable, Equatable {
    case begins(Denial)
    case ends(device: String)
  }

  /// Topics that are named; a plan may have a hundred.
  private static let namedTopics = 3

  /// The device.
  package var device: String
  /// The layers whose parts do not come.
  package var layers: [String]
  /// In how many frames none came.
  package var frames: Int
  /// Whether nothing of the device comes at all.
  package var isWhole: Bool

  package init(device: String, layers: [String], frames: Int, isWhole: Bool) {
    self.device = device
    self.layers = layers
    self.frames = frames
    self.isWhole = isWhole
  }

  /// What was seen.
  package func text(_ root: TopicRoot) -> String {
    let how =
      isWhole
      ? "by its heartbeats it has gone past \(frames) frames, and nothing came"
      : "other parts come, and in \(frames) frames none came"
    return "\(device) works, but its parts do not come here: \(how) on \(topics(root))"
  }

  /// What to look at. The receiver cannot know on which side the fault is.
  package var hint: String {
    """
    look at the broker's access list (acl_file): the user of \(device) must be allowed to write \
    act/+/\(device), and the user here to read act/+/+; and at its message_size_limit
    """
  }

  private func topics(_ root: TopicRoot) -> String {
    let topics = layers.prefix(Self.namedTopics).map { layer in
      (try? root.path(.activation(layer: layer, device: device))) ?? "act/\(layer)/\(device)"
    }
    let more = layers.count - topics.count
    return topics.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
  }
}
