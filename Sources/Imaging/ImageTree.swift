import TensorCore
import TensorFiles

/// The images of one folder or archive.
struct ImageTree {
  private(set) var items: [ImageSet.Item] = []
  private(set) var labelNames: LabelNames?

  /// A file by its path in the tree.
  private typealias Found = (path: String, location: ImageSet.Location)

  init(_ root: String, labels: LabelNames?) throws(MartletError) {
    let files = try ImageTree.files(root)
    if let table = files.first(where: { FileSystem.name(of: $0.path) == "labels.tsv" }) {
      try useTable(table, files: files, root: root)
      return
    }
    let images = files.filter { ImageTree.isImage($0.path) }
    if let classes = ImageTree.classes(images.map(\.path)) {
      let names = labels ?? LabelNames(Array(Set(classes)).sorted())
      for (image, name) in zip(images, classes) {
        guard let label = names.label(of: name) else {
          throw MartletError(
            .mismatch, "a folder is named after no known class",
            context: ["folder": name, "in": root])
        }
        items.append(.init(name: image.path, label: label, location: image.location))
      }
      labelNames = names
    } else {
      items = images.map { .init(name: $0.path, label: nil, location: $0.location) }
    }
  }

  private static func files(_ root: String) throws(MartletError) -> [Found] {
    guard FileSystem.isFolder(root) else {
      let archive = try TarArchive(root)
      return archive.entries.map { ($0.name, .archived(archive, $0)) }
        .sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }
    return try FileSystem.list(root).filter { !$0.isFolder }
      .map { ($0.path, .file(root + "/" + $0.path)) }
  }

  private static func isImage(_ path: String) -> Bool {
    // macOS puts a hidden `._x.jpg` beside each `x.jpg` of an archive.
    let lower = FileSystem.name(of: path).lowercased()
    return !lower.hasPrefix(".") && [".jpg", ".jpeg", ".png"].contains { lower.hasSuffix($0) }
  }

  /// The class of each image: its first folder below those that all images share. Nil when some
  /// image lies in no further folder.
  private static func classes(_ paths: [String]) -> [String]? {
    let parts = paths.map { $0.split(separator: "/").dropLast().filter { $0 != "." } }
    guard let first = parts.first else { return nil }
    var shared = first.count
    for part in parts {
      shared = min(shared, zip(first, part).prefix { $0 == $1 }.count)
    }
    guard parts.allSatisfy({ $0.count > shared }) else { return nil }
    return parts.map { String($0[shared]) }
  }

  private mutating func useTable(
    _ table: Found, files: [Found], root: String
  ) throws(MartletError) {
    let source = root + "/" + table.path
    guard let text = String(validating: try table.location.read(), as: UTF8.self) else {
      throw MartletError(.invalidFile, "a labels file is not UTF-8", context: ["file": source])
    }
    let rows = try Table(text, source: source)
    guard let file = rows.column("file"), let label = rows.column("label") else {
      throw MartletError(
        .invalidFile, "the first line of a labels file must name its columns",
        context: ["file": source, "needed": "file, label"])
    }
    let folder = FileSystem.folder(of: table.path)
    let prefix = folder == "." && !table.path.hasPrefix("./") ? "" : folder + "/"
    let places = Dictionary(files.map { ($0.path, $0.location) }) { _, last in last }
    var names: [Int: String] = [:]
    for (index, row) in rows.rows.enumerated() {
      let context: KeyValuePairs = ["file": source, "line": "\(rows.line(of: index))"]
      guard row.count > max(file, label), let number = rows.label(row[label]) else {
        throw MartletError(.invalidFile, "a line of a labels file has no label", context: context)
      }
      guard let location = places[prefix + row[file]] else {
        throw MartletError(
          .invalidFile, "a labels file lists an image that is not there", context: context
        ).adding("image", row[file])
      }
      items.append(.init(name: row[file], label: number, location: location))
      if let name = rows.column("name"), row.count > name { names[number] = row[name] }
    }
    labelNames = names.isEmpty ? nil : LabelNames(byLabel: names)
  }
}
