package import Foundations
import Glibc

extension FileSystem {
  /// What `list` found.
  package struct Entry: Sendable, Equatable {
    /// The path relative to the listed folder.
    package var path: String
    /// Whether it is a folder.
    package var isFolder: Bool
  }

  /// The visible files and folders in a folder, sorted by path as bytes, so that every machine
  /// sees one order. A link to a file is a file.
  ///
  /// - Parameter followsLinks: whether links to folders are entered, but for those that lead back to a
  ///   folder that they lie in; a link that leads nowhere is then a file, so that opening it says so.
  ///   Else both are left out.
  /// - Throws: `resourceExhausted` beyond `limit` entries or 32 levels.
  package static func list(
    _ folder: String, recursive: Bool = true, followsLinks: Bool = false, limit: Int = 2_000_000
  ) throws(MartletError) -> [Entry] {
    var entries: [Entry] = []
    // The folders above each one, itself included, by device and number.
    var pending = [(path: "", above: [identity(of: folder)])]
    while let (prefix, above) = pending.popLast() {
      for name in try names(in: prefix.isEmpty ? folder : folder + "/" + prefix) {
        let relative = prefix.isEmpty ? name : prefix + "/" + name
        let path = folder + "/" + relative
        guard let kind = kind(of: path, followsLinks: followsLinks) else { continue }
        let place = kind == .folder && followsLinks ? identity(of: path) : nil
        if let place, above.contains(place) { continue }
        entries.append(Entry(path: relative, isFolder: kind == .folder))
        guard entries.count <= limit, above.count <= 32 else {
          throw MartletError(
            .resourceExhausted, "a folder holds too much",
            context: ["folder": folder, "limit": "\(limit)"])
        }
        if recursive, kind == .folder { pending.append((relative, above + [place])) }
      }
    }
    return entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  private enum Kind { case file, folder }

  /// What stands at a path; nil for what is passed over.
  private static func kind(of path: String, followsLinks: Bool) -> Kind? {
    var own = stat()
    guard lstat(path, &own) == 0 else { return nil }
    if own.st_mode & S_IFMT == S_IFDIR { return .folder }
    var target = stat()
    guard stat(path, &target) == 0 else {
      return followsLinks && own.st_mode & S_IFMT == S_IFLNK ? .file : nil
    }
    switch target.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return followsLinks ? .folder : nil
    default: return nil
    }
  }

  /// What tells a folder from all others of this machine, whatever path leads to it.
  private struct Identity: Equatable {
    var device: dev_t
    var number: ino_t
  }

  private static func identity(of path: String) -> Identity? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Identity(device: status.st_dev, number: status.st_ino)
  }

  /// The visible names in one folder, whatever they are, in no order.
  package static func names(in folder: String) throws(MartletError) -> [String] {
    guard let stream = opendir(folder) else { throw systemError("cannot list a folder", folder) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }
}
