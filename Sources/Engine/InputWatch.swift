package import Foundations

/// Notices that others compute frames whose inputs do not come here.
///
/// A broker with an access list takes a subscription that it will never serve, and a device must not
/// publish inputs, so that it cannot find out by itself. That others send parts of frames tells.
package struct InputWatch: Sendable {
  /// How long others may compute frames before it is strange that no input has come.
  static let patience = Duration.seconds(5)

  private var firstPart: MonotonicTime?
  private var isDone = false

  /// Nothing has come.
  package init() {}

  /// An input came: all is well.
  package mutating func input() { isDone = true }

  /// A part came.
  ///
  /// - Parameter isBehind: whether messages wait on their way here, an input perhaps among them.
  /// - Returns: true once, when parts come for a while and inputs do not.
  package mutating func part(at now: MonotonicTime, isBehind: Bool = false) -> Bool {
    guard !isDone else { return false }
    guard let firstPart, !isBehind else {
      firstPart = now
      return false
    }
    guard now > firstPart + Self.patience else { return false }
    isDone = true
    return true
  }
}
