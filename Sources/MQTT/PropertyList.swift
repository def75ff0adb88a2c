import CMosquitto
import Foundations
import Glibc

/// Conversion between `MQTTProperties` and libmosquitto's linked lists.
///
/// A received list is always rebuilt from its values: libmosquitto forwards only the first entry of
/// a list that it did not build for sending.
enum PropertyList {
  /// Builds a list; the caller owns it and frees it with `free`, unless the library took it over.
  static func make(
    _ properties: MQTTProperties, topic: String
  ) throws(MartletError) -> OpaquePointer? {
    if properties.isEmpty { return nil }
    var list: OpaquePointer?
    var code: Int32 = 0
    func add(_ result: Int32) { if code == 0 { code = result } }
    if let seconds = properties.expirySeconds {
      add(
        mosquitto_property_add_int32(
          &list, Int32(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.rawValue), seconds))
    }
    if let type = properties.contentType {
      add(mosquitto_property_add_string(&list, Int32(MQTT_PROP_CONTENT_TYPE.rawValue), type))
    }
    if let response = properties.responseTopic {
      add(mosquitto_property_add_string(&list, Int32(MQTT_PROP_RESPONSE_TOPIC.rawValue), response))
    }
    if let data = properties.correlationData {
      if data.count > Int(UInt16.max) {
        add(Int32(MOSQ_ERR_INVAL.rawValue))
      } else {
        add(
          data.withUnsafeBytes {
            mosquitto_property_add_binary(
              &list, Int32(MQTT_PROP_CORRELATION_DATA.rawValue), $0.baseAddress, UInt16($0.count))
          })
      }
    }
    for pair in properties.userProperties {
      add(
        mosquitto_property_add_string_pair(
          &list, Int32(MQTT_PROP_USER_PROPERTY.rawValue), pair.name, pair.value))
    }
    if code != 0 {
      free(list)
      throw LibraryErrors.rejectedCall(code, topic: topic)
    }
    return list
  }

  static func free(_ list: OpaquePointer?) {
    var list = list
    mosquitto_property_free_all(&list)
  }

  /// Reads the properties of a received message; unknown ones are skipped.
  static func read(_ list: OpaquePointer?) -> MQTTProperties {
    var properties = MQTTProperties()
    var entry = list
    while let current = entry {
      switch mqtt5_property(UInt32(bitPattern: mosquitto_property_identifier(current))) {
      case MQTT_PROP_MESSAGE_EXPIRY_INTERVAL:
        var value: UInt32 = 0
        if mosquitto_property_read_int32(
          current, Int32(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.rawValue), &value, false) != nil
        {
          properties.expirySeconds = value
        }
      case MQTT_PROP_CONTENT_TYPE:
        properties.contentType = string(current, MQTT_PROP_CONTENT_TYPE)
      case MQTT_PROP_RESPONSE_TOPIC:
        properties.responseTopic = string(current, MQTT_PROP_RESPONSE_TOPIC)
      case MQTT_PROP_CORRELATION_DATA:
        var value: UnsafeMutableRawPointer?
        var count: UInt16 = 0
        if mosquitto_property_read_binary(
          current, Int32(MQTT_PROP_CORRELATION_DATA.rawValue), &value, &count, false) != nil
        {
          properties.correlationData = Array(
            UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : Int(count)))
          Glibc.free(value)
        }
      case MQTT_PROP_USER_PROPERTY:
        var name: UnsafeMutablePointer<CChar>?
        var value: UnsafeMutablePointer<CChar>?
        if mosquitto_property_read_string_pair(
          current, Int32(MQTT_PROP_USER_PROPERTY.rawValue), &name, &value, false) != nil,
          let name, let value
        {
          properties.userProperties.append(
            .init(String(cString: name), String(cString: value)))
        }
        Glibc.free(name)
        Glibc.free(value)
      default: break
      }
      entry = mosquitto_property_next(current)
    }
    return properties
  }

  /// The largest packet that a broker takes, by the properties with which it accepted a client.
  static func maximumPacketBytes(_ list: OpaquePointer?) -> Int? {
    var value: UInt32 = 0
    let identifier = Int32(MQTT_PROP_MAXIMUM_PACKET_SIZE.rawValue)
    guard list != nil, mosquitto_property_read_int32(list, identifier, &value, false) != nil else {
      return nil
    }
    return Int(value)
  }

  /// Bytes of properties in a packet, without their length in front of them.
  static func encodedBytes(_ properties: MQTTProperties) -> Int {
    func text(_ value: String?) -> Int { value.map { 3 + $0.utf8.count } ?? 0 }
    return (properties.expirySeconds == nil ? 0 : 5) + text(properties.contentType)
      + text(properties.responseTopic) + (properties.correlationData.map { 3 + $0.count } ?? 0)
      + properties.userProperties.reduce(0) { $0 + 5 + $1.name.utf8.count + $1.value.utf8.count }
  }

  private static func string(_ entry: OpaquePointer, _ identifier: mqtt5_property) -> String? {
    var value: UnsafeMutablePointer<CChar>?
    guard mosquitto_property_read_string(entry, Int32(identifier.rawValue), &value, false) != nil
    else { return nil }
    defer { Glibc.free(value) }
    return value.map { String(cString: $0) }
  }
}
