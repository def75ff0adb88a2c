import Planning

/// Which devices a model is to be divided over.
public struct DeviceRequest: Sendable, Hashable {
  let names: [String]?
  let number: Int?
  let shares: [Double]?

  /// So many devices, called `d0`, `d1` and so on.
  ///
  /// - Parameters:
  ///   - number: 1 to 256.
  ///   - shares: how much of the work each does in relation to the others; equally much if nil.
  public static func count(_ number: Int, shares: [Double]? = nil) -> DeviceRequest {
    DeviceRequest(names: nil, number: number, shares: shares)
  }

  /// These devices.
  ///
  /// - Parameters:
  ///   - names: in `[a-z0-9_-]{1,32}`, no two the same.
  ///   - shares: how much of the work each does in relation to the others; equally much if nil.
  public static func named(_ names: [String], shares: [Double]? = nil) -> DeviceRequest {
    DeviceRequest(names: names, number: nil, shares: shares)
  }

  /// As the method's options say, such as the tiers of `vertical`.
  public static let byMethod = DeviceRequest(names: nil, number: nil, shares: nil)

  var wishes: DeviceWishes { DeviceWishes(names: names, count: number, shares: shares) }
}
