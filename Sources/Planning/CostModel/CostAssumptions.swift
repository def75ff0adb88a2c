package import Plan

/// What a prediction is made for: the devices, the network, and how values travel.
package struct CostAssumptions: Sendable, Hashable {
  /// By device.
  package var profiles: [DeviceProfile]
  /// The client's.
  package var client: DeviceProfile
  /// What messages take at the broker, on a core of its own.
  package var broker: DeviceProfile.Handling
  /// The links.
  package var network: NetworkSpeed
  /// Bytes of an element of a part on the wire.
  package var elementBytes: Double
  /// Bytes of an element of an input on the wire.
  package var inputElementBytes: Double
  /// Messages longer than this are cut.
  package var chunkBytes: Int
  /// What is taken for granted.
  package var constants = CostConstants()

  /// Assumptions: a broker as fast as the client; elements travel as float32, in pieces of 256 KiB,
  /// unless told otherwise.
  package init(
    _ profiles: DeviceProfiles, network: NetworkSpeed,
    elementBytes: Double = 4, inputElementBytes: Double = 4, chunkBytes: Int = 256 << 10
  ) {
    self.profiles = profiles.devices
    client = profiles.client
    broker = profiles.client.messages.broker
    self.network = network
    self.elementBytes = elementBytes
    self.inputElementBytes = inputElementBytes
    self.chunkBytes = chunkBytes
  }
}
