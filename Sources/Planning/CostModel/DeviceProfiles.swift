package import Foundations
package import Plan
import TensorFiles

/// The profiles of a plan's devices, from files.
package struct DeviceProfiles: Sendable {
  /// By device.
  package var devices: [DeviceProfile]
  /// The client's: its own if there is a file `client.json`, else like the first device.
  package var client: DeviceProfile

  private init(devices: [DeviceProfile], client: DeviceProfile) {
    self.devices = devices
    self.client = client
  }

  /// All alike.
  package init(all profile: DeviceProfile, devices: Int) {
    self.devices = Array(repeating: profile, count: devices)
    client = profile
  }

  /// The most files that are looked at.
  private static let maximumFiles = 2 * Plan.maximumDevices

  /// Reads files of `martlet bench device`. One is for all devices; of several each is for the device
  /// that its name says, `d0.json` for `d0`, and each device needs one.
  ///
  /// - Parameters:
  ///   - paths: files, and folders of them.
  ///   - names: the devices' names in order.
  /// - Throws: `mismatch` when files and devices do not fit each other, naming both; `notFound` for a
  ///   folder without profiles; what `DeviceProfile.read` throws.
  package init(reading paths: [String], names: [String]) throws(MartletError) {
    var files: [String] = []
    for path in paths {
      guard FileSystem.isFolder(path) else {
        files.append(path)
        continue
      }
      files += try FileSystem.list(path, recursive: false).map(\.path)
        .filter { $0.hasSuffix(".json") }.sorted().map { path + "/" + $0 }
    }
    guard let first = files.first, files.count <= Self.maximumFiles else {
      throw MartletError(
        .notFound, files.isEmpty ? "there are no profiles" : "there are too many profiles",
        context: ["paths": paths.joined(separator: " ")],
        hint: "martlet bench device --out NAME.json makes one")
    }
    guard files.count > 1 else {
      self.init(all: try DeviceProfile.read(first), devices: names.count)
      return
    }
    var found: [String: DeviceProfile] = [:]
    for file in files {
      let name = String(FileSystem.name(of: file).dropLast(file.hasSuffix(".json") ? 5 : 0))
      guard names.contains(name) || name == "client", found[name] == nil else {
        throw MartletError(
          .mismatch,
          found[name] == nil
            ? "a profile is of '\(name)', which is no device of the plan"
            : "there are two profiles of '\(name)'", context: ["file": file],
          hint: "name each file like its device: "
            + names.map { $0 + ".json" }.joined(separator: ", "))
      }
      found[name] = try DeviceProfile.read(file)
    }
    let missing = names.filter { found[$0] == nil }
    guard missing.isEmpty else {
      throw MartletError(
        .mismatch, "there is no profile of " + missing.joined(separator: ", "),
        context: ["paths": paths.joined(separator: " ")],
        hint: "give one for each device, or a single one for all of them")
    }
    let devices = names.compactMap { found[$0] }
    self.init(devices: devices, client: found["client"] ?? devices[0])
  }
}
