package import Foundations
import TensorFiles

/// Reads a recording from its beginning to its end, one block in memory at a time.
///
/// What is damaged is passed over and counted: a reader goes on at the next block that is whole, and
/// a tail that was not written to its end is left out.
package struct RecordReader {
  /// What could not be read.
  package struct Damage: Sendable, Equatable {
    /// Bytes passed over within the file.
    package var skippedBytes = 0
    /// How often the reader had to look for the next whole block.
    package var gaps = 0
    /// Bytes after the last whole block.
    package var tornBytes = 0

    /// Whether anything is missing.
    package var isEmpty: Bool { self == Damage() }
  }

  /// What could not be read so far.
  package private(set) var damage = Damage()
  /// Where the last whole block ends: what an appending writer goes on from.
  private(set) var end: Int
  private let file: ReadableFile
  private var offset: Int
  private var block: [UInt8] = []
  private var position = 0

  /// The first bytes of every recording: a name and the version of the format.
  package static let head = Array("martlet\u{1A}".utf8) + [1, 0, 0, 0, 0, 0, 0, 0]

  /// Opens a recording.
  ///
  /// - Throws: `invalidFile` when it is not one; `unsupported` for a version of the format that this
  ///   program does not know; `notFound`, `permissionDenied` or `io`.
  package init(_ path: String) throws(MartletError) {
    file = try ReadableFile(path)
    let head = try file.bytes(at: 0, count: min(file.size, RecordReader.head.count))
    guard head.starts(with: RecordReader.head[..<8]) else {
      throw MartletError(
        .invalidFile, "this is not a recording", context: ["file": path],
        hint: "martlet record makes them")
    }
    guard head == RecordReader.head else {
      throw MartletError(
        head.count < RecordReader.head.count ? .invalidFile : .unsupported,
        "a recording of another version of the format", context: ["file": path])
    }
    offset = head.count
    end = offset
  }

  /// The file's size in bytes and how many of them have been read: for progress.
  package var progress: (read: Int, of: Int) { (offset, file.size) }

  /// The next message; nil at the end.
  ///
  /// - Throws: `io` when the file cannot be read any more.
  package mutating func next() throws(MartletError) -> RecordedMessage? {
    while true {
      if position < block.count {
        if let message = RecordedMessage(block: block, at: &position) { return message }
        // The checksum fits and yet it is no message: written by nobody who knows the format.
        damage.skippedBytes += block.count - position
        damage.gaps += 1
        position = block.count
      }
      guard try readBlock() else { return nil }
    }
  }

  private mutating func readBlock() throws(MartletError) -> Bool {
    if let (raw, length) = try block(at: offset) {
      take(raw, length)
      return true
    }
    guard offset < file.size else { return false }
    // Lost: look for a marker.
    var place = offset + 1
    while let found = try marker(from: place) {
      if let (raw, length) = try block(at: found) {
        damage.skippedBytes += found - offset
        damage.gaps += 1
        offset = found
        take(raw, length)
        return true
      }
      place = found + 1
    }
    damage.tornBytes += file.size - offset
    offset = file.size
    return false
  }

  private mutating func take(_ raw: [UInt8], _ length: Int) {
    block = raw
    position = 0
    offset += length
    end = offset
  }

  private func block(at offset: Int) throws(MartletError) -> (raw: [UInt8], length: Int)? {
    guard file.size - offset >= Block.headerBytes else { return nil }
    guard let header = Block.Header(try file.bytes(at: offset, count: Block.headerBytes)),
      header.storedBytes <= file.size - offset - Block.headerBytes
    else { return nil }
    let length = Block.headerBytes + header.storedBytes
    guard let raw = Block.decode(header, try file.bytes(at: offset, count: length)) else {
      return nil
    }
    return (raw, length)
  }

  /// Where the next marker stands, from `start` on.
  private func marker(from start: Int) throws(MartletError) -> Int? {
    let step = 1 << 16
    var start = start
    while file.size - start >= Block.headerBytes {
      let bytes = try file.bytes(at: start, count: min(step, file.size - start))
      for index in 0...bytes.count - 4
      where bytes[index] == UInt8(truncatingIfNeeded: Block.marker)
        && bytes.littleEndian(UInt32.self, at: index) == Block.marker
      {
        return start + index
      }
      if start + bytes.count == file.size { return nil }
      start += bytes.count - 3
    }
    return nil
  }
}
