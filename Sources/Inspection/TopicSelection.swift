package import WireProtocol

/// Which topics a user means.
package enum TopicSelection {
  /// The first levels of the contract's topics.
  private static let families: Set<String> = [
    "presence", "heartbeat", "desc", "plan", "input", "act", "rpc", "reply", "metric", "result",
  ]

  /// The filters to subscribe to: all of the deployment when none is given. One that begins with a
  /// level of the contract, such as `act/+/d0`, is below the deployment's root; any other stands as
  /// it is.
  package static func filters(_ given: [String], root: TopicRoot) -> [String] {
    let prefix = "martlet/\(TopicRoot.version)/\(root.deployment)/"
    if given.isEmpty { return [prefix + "#"] }
    return given.map { filter in
      let first = filter.prefix { $0 != "/" }
      return families.contains(String(first)) ? prefix + filter : filter
    }
  }

  /// A topic as it is shown: below the root where it is there.
  package static func short(_ topic: String, root: TopicRoot) -> String {
    let prefix = "martlet/\(TopicRoot.version)/\(root.deployment)/"
    return topic.hasPrefix(prefix) ? String(topic.dropFirst(prefix.count)) : topic
  }
}
