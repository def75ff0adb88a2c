import Foundations
import TensorFiles

/// The regular files of an uncompressed tar archive (ustar, pax or GNU), found without unpacking.
///
/// Names are only ever looked up, never opened, so that a hostile one reaches nothing.
struct TarArchive: Sendable {
  struct Entry: Sendable {
    var name: String
    var offset: Int
    var size: Int
  }

  let file: ReadableFile
  let entries: [Entry]

  private static let block = 512
  private static let maximumEntries = 2_000_000
  private static let maximumNameRecord = 1 << 20

  /// Walks through the headers, each of which is checked against its sum and the file's size.
  init(_ path: String) throws(MartletError) {
    let file = try ReadableFile(path)
    var entries: [Entry] = []
    var offset = 0
    var longName: String?
    var longSize: Int?
    var count = 0
    while offset + TarArchive.block <= file.size {
      let header = TarHeader(bytes: try file.bytes(at: offset, count: TarArchive.block))
      if header.isEmpty { break }
      count += 1
      guard header.hasRightSum, count <= TarArchive.maximumEntries else {
        throw TarArchive.damaged("a header does not add up", path, offset)
      }
      let data = offset + TarArchive.block
      guard let size = longSize ?? header.size, size <= file.size - data else {
        throw TarArchive.damaged("an entry is longer than the file", path, offset)
      }
      switch header.kind {
      case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
        entries.append(Entry(name: longName ?? header.name, offset: data, size: size))
        (longName, longSize) = (nil, nil)
      case UInt8(ascii: "x"), UInt8(ascii: "L"):
        guard size <= TarArchive.maximumNameRecord else {
          throw TarArchive.damaged("a name is too long", path, offset)
        }
        let bytes = try file.bytes(at: data, count: size)
        if header.kind == UInt8(ascii: "L") {
          longName = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        } else {
          let records = PaxRecords(bytes)
          longName = records["path"] ?? longName
          if let text = records["size"] {
            guard let value = Int(text), value >= 0 else {
              throw TarArchive.damaged("a size is not a number", path, offset)
            }
            longSize = value
          }
        }
      case UInt8(ascii: "g"): break
      default: (longName, longSize) = (nil, nil)
      }
      offset = data + (size + TarArchive.block - 1) / TarArchive.block * TarArchive.block
    }
    guard count > 0 else { throw TarArchive.damaged("it has no entries", path, 0) }
    self.file = file
    self.entries = entries
  }

  private static func damaged(_ reason: String, _ path: String, _ offset: Int) -> MartletError {
    MartletError(
      .invalidFile, "not a tar archive: \(reason)", context: ["file": path, "offset": "\(offset)"],
      hint: "a compressed archive must be uncompressed first")
  }
}

/// One 512-byte header.
private struct TarHeader {
  let bytes: [UInt8]

  var isEmpty: Bool { bytes.allSatisfy { $0 == 0 } }
  var kind: UInt8 { bytes[156] }
  var size: Int? { number(124..<136) }

  var name: String {
    let own = text(0..<100)
    let isUstar = bytes[257..<263].elementsEqual("ustar\0".utf8)
    let prefix = isUstar ? text(345..<500) : ""
    return prefix.isEmpty ? own : prefix + "/" + own
  }

  /// The sum of all bytes with the sum's own field taken as spaces.
  var hasRightSum: Bool {
    let sum = bytes.enumerated().reduce(0) {
      $0 + ((148..<156).contains($1.offset) ? 0x20 : Int($1.element))
    }
    return number(148..<156) == sum
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: bytes[range].prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Octal text, or GNU's big-endian binary form for large files.
  private func number(_ range: Range<Int>) -> Int? {
    if bytes[range.lowerBound] == 0x80 {
      guard bytes[(range.lowerBound + 1)..<(range.upperBound - 7)].allSatisfy({ $0 == 0 }) else {
        return nil
      }
      return bytes[(range.upperBound - 7)..<range.upperBound].reduce(0) { $0 << 8 | Int($1) }
    }
    let digits = bytes[range].drop { $0 == 0x20 }.prefix { $0 != 0 && $0 != 0x20 }
    if digits.isEmpty { return 0 }
    let value = Int(String(decoding: digits, as: UTF8.self), radix: 8)
    return value.flatMap { $0 >= 0 ? $0 : nil }
  }
}

/// The records of a pax header: `length keyword=value\n`, the length counting itself.
private struct PaxRecords {
  private var values: [String: String] = [:]

  init(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while let space = rest.firstIndex(of: 0x20),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
      length > space - rest.startIndex + 1, length <= rest.count
    {
      let end = rest.startIndex + length
      let record = rest[(space + 1)..<(end - 1)]
      if let equals = record.firstIndex(of: UInt8(ascii: "=")) {
        let key = String(decoding: record[..<equals], as: UTF8.self)
        values[key] = String(decoding: record[(equals + 1)...], as: UTF8.self)
      }
      rest = rest[end...]
    }
  }

  subscript(key: String) -> String? { values[key] }
}
