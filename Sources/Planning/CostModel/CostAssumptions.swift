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
  /// Bytes of an element of a part on the wire; what the plan says if nil.
  package var elementBytes: Double?
  /// Bytes of an element of an input on the wire; if nil a byte for each pixel of an image, else four.
  package var inputElementBytes: Double?
  /// Messages longer than this are cut.
  package var chunkBytes: Int
  /// What is taken for granted.
  package var constants = CostConstants()

  /// Assumptions: a broker as fast as the client; elements travel as the plan says, in pieces of 256 KiB,
  /// unless told otherwise.
  package init(
    _ profiles: DeviceProfiles, network: NetworkSpeed,
    elementBytes: Double? = nil, inputElementBytes: Double? = nil, chunkBytes: Int = 256 << 10
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
