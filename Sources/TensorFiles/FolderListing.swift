import Glibc
public import TensorCore

extension FileSystem {
  /// What `list` found.
  public struct Entry: Sendable, Equatable {
    /// The path relative to the listed folder.
    public var path: String
    /// Whether it is a folder.
    public var isFolder: Bool
  }

  /// The visible files and folders in a folder, sorted by path as bytes, so that every machine
  /// sees one order. Links are followed to files but not to folders, so that no cycle can form.
  ///
  /// - Throws: `resourceExhausted` beyond `limit` entries or 32 levels.
  public static func list(
    _ folder: String, recursive: Bool = true, limit: Int = 2_000_000
  ) throws(MartletError) -> [Entry] {
    var entries: [Entry] = []
    var pending = [(path: "", depth: 0)]
    while let (prefix, depth) = pending.popLast() {
      for name in try names(in: prefix.isEmpty ? folder : folder + "/" + prefix) {
        let relative = prefix.isEmpty ? name : prefix + "/" + name
        guard let kind = kind(of: folder + "/" + relative) else { continue }
        entries.append(Entry(path: relative, isFolder: kind == .folder))
        guard entries.count <= limit, depth < 32 else {
          throw MartletError(
            .resourceExhausted, "a folder holds too much",
            context: ["folder": folder, "limit": "\(limit)"])
        }
        if recursive, kind == .folder { pending.append((relative, depth + 1)) }
      }
    }
    return entries.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  private enum Kind { case file, folder }

  private static func kind(of path: String) -> Kind? {
    var own = stat()
    var target = stat()
    guard lstat(path, &own) == 0, stat(path, &target) == 0 else { return nil }
    if own.st_mode & S_IFMT == S_IFDIR { return .folder }
    return target.st_mode & S_IFMT == S_IFREG ? .file : nil
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
