import Glibc

/// The numbers of a user and its main group.
package struct UserIdentity: Sendable, Equatable {
  /// The user id.
  package let user: UInt32
  /// The group id.
  package let group: UInt32

  /// Looks a user up by name; nil when there is none.
  package init?(named name: String) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16384)
    guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
      return nil
    }
    user = entry.pw_uid
    group = entry.pw_gid
  }

  /// Whether this process runs as root.
  package static var isRoot: Bool { geteuid() == 0 }
}
