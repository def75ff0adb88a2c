import ModelGraph
package import Plan

extension DeviceProfile {
  /// A device on which every kernel takes its operations at one rate, and messages take nothing: what
  /// is predicted for it can be reckoned by hand.
  package static func plain(
    operations: Double = 1e8, share: Double = 1, messages: Messages = .free
  ) -> DeviceProfile {
    DeviceProfile(
      machine: Machine(processor: "plain", kernels: "by hand"), threads: 1, share: share,
      kernelOverhead: 0,
      rates: KernelKind.allCases.map { Rate($0, operations: operations, bytes: nil) },
      messages: messages)
  }
}

extension DeviceProfile.Messages {
  /// They take nothing.
  package static let free = DeviceProfile.Messages(
    endpoint: .init(message: 0, byte: 0), broker: .init(message: 0, byte: 0), delay: 0)
}
