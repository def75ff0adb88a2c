import Foundations
import Logging
import MQTT

extension MQTTClient {
  /// Finds out whether the broker lets this client use topics of its own, and says so.
  ///
  /// What cannot be found out now, because the connection is slow or lost again, is no reason to give
  /// up: the client tries to go on as it does later.
  /// - Parameter reading: whether messages on them must come back, too.
  /// - Throws: `permissionDenied`, naming the topic and the user.
  func checkPermissions(
    _ topics: [String], reading: Bool, logger: Logger
  ) throws(MartletError) {
    for topic in topics {
      do throws(MartletError) {
        try verifyPermission(topic: topic, reading: reading, timeout: .seconds(5))
      } catch {
        guard error.code != .permissionDenied else { throw error }
        logger.warning("the rights at the broker were not checked: \(error)")
        return
      }
    }
  }
}
