/// What the cost model takes for granted, in one place: whoever calibrates it against measurements
/// changes these.
package struct CostConstants: Sendable, Hashable {
  /// Bytes of a message besides its elements: the header of its tensor, its topic, its properties.
  package var messageBytes = 560.0
  /// Bytes on a link for each byte of a message: the headers of TCP, IP and Ethernet, and
  /// acknowledgements.
  package var framing = 1.05
  /// Processor time that a worker spends on each stage besides its kernels, in seconds: waking up,
  /// looking at what came, passing on.
  package var stage = 100e-6
  /// Processor time that a worker or client spends on each message besides what the bare client of
  /// `martlet bench device` does with one, as a multiple of that.
  package var handling = 1.0
  /// Processor time that packing and placing takes for each byte of elements, as a multiple of what a
  /// byte costs the bare client.
  package var packing = 0.5

  /// The values in use.
  package init() {}
}
