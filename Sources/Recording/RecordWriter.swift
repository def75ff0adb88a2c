package import Foundations
import Glibc
import TensorFiles

/// Appends messages to a recording: one file, or numbered ones of a bounded size.
///
/// Messages are gathered into blocks and written with one call each, so that a crash costs what came
/// since the last `flush`. When a write fails, the file is cut back to its last whole block before
/// the error is thrown.
package struct RecordWriter: ~Copyable {
  /// How to write.
  package struct Options: Sendable {
    /// Whether blocks are deflated.
    package var isDeflated = true
    /// Begin a new file rather than let one become larger than this; nil for one file.
    package var rotationBytes: Int?
    /// Keep only so many of the numbered files, the newest; nil for all.
    package var keptFiles: Int?

    /// One deflated file.
    package init() {}
  }

  /// Bytes of messages that are gathered before they are written.
  static let blockBytes = 256 << 10

  /// Messages appended so far.
  package private(set) var messages = 0
  /// Bytes in files, this and earlier numbered ones.
  package private(set) var writtenBytes = 0
  /// Files written to, in order.
  package private(set) var files: [String] = []
  // Never changed; but `init` calls mutating methods, before which some compilers want a `var`.
  private var path: String
  private var options: Options
  private var number = 0
  private var descriptor: Int32 = -1
  private var length = 0
  private var block: [UInt8] = []
  private var count = 0

  /// Opens a recording to append to, or makes it. The torn tail of an existing one is cut off.
  ///
  /// - Throws: `invalidFile` when something else stands there, which is left alone;
  ///   `permissionDenied`, `resourceExhausted` or `io` when it cannot be written.
  package init(_ path: String, options: Options = Options()) throws(MartletError) {
    self.path = path
    self.options = options
    if options.rotationBytes != nil {
      number = try RecordFiles.numbered(path).last?.number ?? 1
    }
    try open()
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Appends a message. One that no recording holds (payload above 16 MiB) is refused.
  ///
  /// - Throws: as `flush`, when a block is full.
  package mutating func append(_ message: RecordedMessage) throws(MartletError) {
    guard message.payload.count <= RecordedMessage.maximumPayloadBytes,
      message.topic.utf8.count <= RecordedMessage.maximumTopicBytes
    else {
      throw MartletError(
        .invalidArgument, "a message is too long for a recording",
        context: ["topic": String(message.topic.prefix(64)), "bytes": "\(message.payload.count)"])
    }
    if !block.isEmpty, block.count + message.encodedBytes > RecordWriter.blockBytes { try flush() }
    message.encode(into: &block)
    count += 1
    messages += 1
  }

  /// Writes what has been gathered.
  ///
  /// - Throws: `resourceExhausted` when the disk is full or the file may not grow; `io`. What was
  ///   gathered is lost then, what was written before stays readable, and the writer is closed.
  package mutating func flush() throws(MartletError) {
    guard !block.isEmpty else { return }
    let bytes = Block.encode(block, messages: count, isDeflated: options.isDeflated)
    block.removeAll(keepingCapacity: true)
    count = 0
    if let limit = options.rotationBytes, length > RecordReader.head.count,
      length + bytes.count > limit
    {
      number += 1
      close(descriptor)
      descriptor = -1
      try open()
    }
    try write(bytes)
  }

  /// Writes everything and makes it durable.
  package mutating func finish() throws(MartletError) {
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw systemError("cannot write a recording", files.last ?? path)
    }
  }

  private mutating func open() throws(MartletError) {
    let name = options.rotationBytes == nil ? path : RecordFiles.name(path, number: number)
    var end = 0
    if FileSystem.exists(name), try ReadableFile(name).size > 0 {
      var reader = try RecordReader(name)
      while try reader.next() != nil {}
      end = reader.end
    }
    descriptor = Int32(
      retrying { Int(Glibc.open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)) })
    guard descriptor >= 0 else { throw systemError("cannot make a recording", name) }
    files.append(name)
    length = end
    guard ftruncate(descriptor, end) == 0, lseek(descriptor, end, Int32(SEEK_SET)) == end else {
      throw systemError("cannot write a recording", name)
    }
    if end == 0 { try write(RecordReader.head) }
    if let kept = options.keptFiles {
      for old in try RecordFiles.numbered(path).dropLast(kept) { try FileSystem.remove(old.path) }
    }
  }

  private mutating func write(_ bytes: [UInt8]) throws(MartletError) {
    let name = files.last ?? path
    guard descriptor >= 0 else {
      throw MartletError(.io, "this recording has failed before", context: ["file": name])
    }
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        retrying { Glibc.write(descriptor, buffer.baseAddress! + done, bytes.count - done) }
      }
      guard count > 0 else {
        var error = systemError("cannot write a recording", name)
        error.hint = "what was recorded before stays readable"
        // The tail that did not fit would be passed over by readers; better no tail at all.
        _ = ftruncate(descriptor, length)
        close(descriptor)
        descriptor = -1
        throw error
      }
      done += count
    }
    length += bytes.count
    writtenBytes += bytes.count
  }
}
