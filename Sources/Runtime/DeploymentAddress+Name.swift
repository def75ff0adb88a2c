import Foundations
import MQTT

extension DeploymentAddress {
  /// A name for topics: the user name where it can stand in one, because a broker's rights name
  /// users, and else `prefix` with something random.
  func userName(or prefix: String) -> String {
    if let user = broker.address.username, Identifier.isValid(user) { return user }
    return prefix + "-" + String(UInt64.random(in: 0..<(1 << 40)), radix: 36)
  }
}
