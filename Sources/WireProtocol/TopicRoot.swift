package import Foundations

/// The root `martlet/1/<deployment>` under which all topics of one deployment live.
///
/// Builds and parses every topic of the contract. With ids of at most 32 bytes no topic has more
/// than 7 slashes or 256 bytes, the limits of the strictest hosted brokers.
package struct TopicRoot: Hashable, Sendable {
  /// The version of the contract, the second level of every topic.
  package static let version = "1"
  /// The most bytes in a topic.
  package static let maximumBytes = 256
  /// The most slashes in a topic.
  package static let maximumSlashes = 7

  /// The deployment's id.
  package let deployment: String
  private let prefix: String

  /// - Throws: `MartletError.Code.invalidArgument` when `deployment` is not an identifier.
  package init(deployment: String) throws(MartletError) {
    try Identifier.check(deployment, what: "deployment")
    self.deployment = deployment
    prefix = "martlet/\(TopicRoot.version)/\(deployment)/"
  }

  /// The full topic, ready to publish or subscribe to.
  ///
  /// Callers that publish often should keep the result.
  /// - Throws: `MartletError.Code.invalidArgument` when an id is not an identifier.
  package func path(_ topic: Topic) throws(MartletError) -> String {
    let levels = topic.levels
    for level in levels { try Identifier.check(level, what: "topic level") }
    return prefix + levels.joined(separator: "/")
  }

  /// The full filter, ready to subscribe to.
  ///
  /// - Throws: `MartletError.Code.invalidArgument` when an id is not an identifier.
  package func path(_ filter: TopicFilter) throws(MartletError) -> String {
    let levels = filter.levels
    for case .some(let level) in levels { try Identifier.check(level, what: "topic level") }
    let share = filter.group.map { "$share/\($0)/" } ?? ""
    return share + prefix + levels.map { $0 ?? "+" }.joined(separator: "/")
  }

  /// What a received topic means, or nil for a topic of another deployment, another version or no
  /// meaning at all. Any text is accepted; nothing traps.
  package func parse(_ text: String) -> Topic? {
    var rest = text.utf8[...]
    let root = prefix.utf8
    guard rest.count <= TopicRoot.maximumBytes, rest.starts(with: root) else { return nil }
    rest = rest.dropFirst(root.count)
    let pieces = rest.split(
      separator: UInt8(ascii: "/"), maxSplits: TopicRoot.maximumSlashes,
      omittingEmptySubsequences: false)
    guard pieces.allSatisfy({ Identifier.isValid(bytes: $0) }) else { return nil }
    return Topic(levels: pieces.map { String($0) ?? "" })
  }
}
