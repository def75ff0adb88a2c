package import Foundations

extension Plan.Device {
  /// Names that no device or gateway can have: callers mean any gateway of a group by `gateway`,
  /// answers call whoever asked `client`, and a plan's folder has a file `client`, and one that is
  /// called like the constants of its fill: `means`.
  package static let reservedNames: Set<String> = Set(
    ["client", "gateway"] + Plan.Fill.Kind.measured.map(\.constantsName))

  /// Refuses a name that means something else.
  ///
  /// - Parameters:
  ///   - name: of a device or a gateway.
  ///   - what: which of them, for the message.
  /// - Throws: `invalidArgument`.
  package static func checkUnreserved(_ name: String, what: String) throws(MartletError) {
    guard reservedNames.contains(name) else { return }
    throw MartletError(
      .invalidArgument, "a \(what) cannot be called \(name)", context: [what: name],
      hint: "these names mean something else: "
        + reservedNames.sorted().joined(separator: ", "))
  }
}

extension Plan {
  /// Checks the names of the devices of a new plan. A plan that exists is read whatever they are.
  ///
  /// - Throws: `invalidArgument` for a reserved one.
  package static func checkNewNames(_ devices: [Device]) throws(MartletError) {
    for device in devices { try Device.checkUnreserved(device.name, what: "device") }
  }
}
