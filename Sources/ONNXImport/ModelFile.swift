import FoundationEssentials
import Foundations
import Glibc

/// Reads of whole files and ranges of files that never trust a length before the file confirms it.
enum ModelFile {
  /// What a serialised protocol buffer may measure; larger models keep their weights outside.
  static let maximumSize = (1 << 31) - 1

  /// All bytes of a regular file.
  static func read(path: String) throws(MartletError) -> Data {
    let file = try OpenFile(path: path)
    guard file.size <= maximumSize else {
      throw MartletError(
        .invalidFile, "the model file is larger than 2 GiB, which the ONNX format does not allow",
        context: ["file": path, "bytes": "\(file.size)"])
    }
    return try file.read(offset: 0, count: file.size)
  }

  /// A range of a file beside the model, named by the model itself and therefore untrusted: the name
  /// must lead to a regular file inside the model's folder, also after following links, or, from a
  /// snapshot of a model hub's cache, into the cache of the same repository.
  static func readExternal(
    name: String, offset: Int, count: Int, modelPath: String
  ) throws(MartletError) -> Data {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let folder = modelPath.lastIndex(of: "/").map { String(modelPath[...$0]) } ?? "./"
    guard !name.isEmpty, !name.hasPrefix("/"), !name.contains("\\"), !name.utf8.contains(0),
      !parts.contains(".."), let root = resolved(folder)
    else { throw outside(name, modelPath) }
    guard let target = resolved(folder + name) else {
      throw MartletError(
        .notFound, "a file with the model's weights is missing",
        context: ["file": folder + name, "model": modelPath],
        hint: "keep it in the folder of the model")
    }
    guard target.hasPrefix(root == "/" ? root : root + "/") || isInCache(target, of: root) else {
      throw outside(name, modelPath)
    }
    let file = try OpenFile(path: target)
    guard offset >= 0, count >= 0, offset <= file.size, count <= file.size - offset else {
      throw MartletError(
        .invalidFile, "external weights reach beyond the end of their file",
        context: [
          "file": target, "offset": "\(offset)", "bytes": "\(count)", "file bytes": "\(file.size)",
        ])
    }
    return try file.read(offset: offset, count: count)
  }

  /// Whether a file lies in the cache that a folder is a snapshot of. Hub clients keep the files of a
  /// repository in `blobs`, and beside it `snapshots/REVISION`, a tree of links to them.
  private static func isInCache(_ target: String, of folder: String) -> Bool {
    let parts = folder.split(separator: "/")
    return parts.indices.dropLast().contains { index in
      guard parts[index] == "snapshots" else { return false }
      let blobs = parts[..<index].map { "/" + $0 }.joined() + "/blobs/"
      return target.hasPrefix(blobs) && !target.dropFirst(blobs.count).contains("/")
    }
  }

  private static func outside(_ name: String, _ modelPath: String) -> MartletError {
    MartletError(
      .invalidFile, "the model names a file outside its own folder",
      context: ["file": name, "model": modelPath],
      hint:
        "external weights must lie in the folder of the model, without links to elsewhere; a hub's "
        + "cache may keep them in its blobs")
  }

  private static func resolved(_ path: String) -> String? {
    guard let buffer = realpath(path, nil) else { return nil }
    defer { free(buffer) }
    return String(cString: buffer)
  }
}

/// A regular file, open for reading as long as this value lives.
private struct OpenFile: ~Copyable {
  let path: String
  let size: Int
  private let descriptor: Int32

  init(path: String) throws(MartletError) {
    // Not blocking, so that a pipe in the file's place cannot hang the program.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let reason = errno
      throw MartletError(
        reason == ENOENT ? .notFound : reason == EACCES ? .permissionDenied : .io,
        "a file cannot be opened",
        context: ["file": path, "reason": String(cString: strerror(reason))])
    }
    var information = stat()
    guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw MartletError(.invalidFile, "this is not a regular file", context: ["file": path])
    }
    self.path = path
    self.size = Int(information.st_size)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  func read(offset: Int, count: Int) throws(MartletError) -> Data {
    do { try MemoryLimit.require(count, for: "a model's file") } catch {
      throw error.adding("file", path)
    }
    var data = Data(count: count)
    var done = 0
    while done < count {
      let received = data.withUnsafeMutableBytes { buffer in
        pread(
          descriptor, buffer.baseAddress?.advanced(by: done), min(count - done, 1 << 30),
          off_t(offset + done))
      }
      if received < 0, errno == EINTR { continue }
      guard received > 0 else {
        throw MartletError(
          .io, "reading a file failed", context: ["file": path, "offset": "\(offset + done)"])
      }
      done += received
    }
    return data
  }
}
