package import Foundations
import TensorFiles
import WireProtocol

/// A device's last epoch on disk, so that the next one is larger even if the clock was set back or
/// starts anew with every boot.
package enum EpochFile {
  /// Takes the next epoch and remembers it, as `<device>.epoch` in a folder, which is made if missing.
  ///
  /// A file that cannot be understood counts as none, and so does an epoch that peers would refuse: the
  /// clock decides then.
  /// - Parameter least: the epoch is at least this.
  /// - Throws: `io` or `permissionDenied` when the folder cannot be used.
  package static func next(
    folder: String, device: String, unixMilliseconds: UInt64, atLeast least: UInt64? = nil
  ) throws(MartletError) -> UInt64 {
    try FileSystem.createFolder(folder)
    let path = folder + "/" + device + ".epoch"
    var saved: UInt64?
    if FileSystem.exists(path) {
      let text = try FileSystem.readText(path, limit: 64)
      saved = text.split(whereSeparator: \.isWhitespace).first.flatMap { UInt64($0) }
      if let known = saved, known >= Epoch.latest(unixMilliseconds: unixMilliseconds) {
        saved = nil
      }
    }
    let epoch = max(
      Epoch.next(saved: saved, unixMilliseconds: unixMilliseconds), least ?? 0)
    try FileSystem.write(Array("\(epoch)\n".utf8), to: path)
    return epoch
  }
}
