import Foundations
import ModelCards
import TensorFiles

/// The images of one folder or archive.
struct ImageTree {
  /// An image and the folder that may be its class.
  struct Member {
    var item: ImageSet.Item
    var folder: String?
  }

  private(set) var members: [Member] = []
  /// The names that a table gives to labels.
  private(set) var labelNames: LabelNames?

  /// A file by its path in the tree.
  private typealias Found = (path: String, location: ImageSet.Location)

  init(_ root: String, _ labelling: ImageLabelling) throws(MartletError) {
    let files = try ImageTree.files(root)
    if let table = files.first(where: { FileSystem.name(of: $0.path) == "labels.tsv" }) {
      try useTable(table, files: files, root: root, labelling)
      return
    }
    let images = files.filter { ImageTree.isImage($0.path) }
    let folders = ImageTree.classFolders(images.map(\.path), labelling)
    members = zip(images, folders).map { image, folder in
      Member(item: .init(name: image.path, label: nil, location: image.location), folder: folder)
    }
  }

  private static func files(_ root: String) throws(MartletError) -> [Found] {
    guard FileSystem.isFolder(root) else {
      let archive = try TarArchive(root)
      return archive.entries.map { ($0.name, .archived(archive, $0)) }
        .sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }
    return try FileSystem.list(root, followsLinks: true).filter { !$0.isFolder }
      .map { ($0.path, .file(root + "/" + $0.path)) }
  }

  /// Formats that cannot be decoded are found as well: to be complained about, not passed over.
  private static let endings = FileKind.allCases.flatMap(\.endings)

  private static func isImage(_ path: String) -> Bool {
    // macOS puts a hidden `._x.jpg` beside each `x.jpg` of an archive.
    let lower = FileSystem.name(of: path).lowercased()
    return !lower.hasPrefix(".") && endings.contains { lower.hasSuffix($0) }
  }

  /// The folder of each image that may be its class: the first one below those that all images share.
  ///
  /// Where all images lie in one folder of a known class, it is that one. Images that lie beside the
  /// folders of known classes have none. Where images lie beside other folders, there are no classes.
  private static func classFolders(
    _ paths: [String], _ labelling: ImageLabelling
  ) -> [String?] {
    if case .none = labelling { return paths.map { _ in nil } }
    let parts = paths.map { $0.split(separator: "/").dropLast().filter { $0 != "." } }
    guard let first = parts.first else { return [] }
    var shared = first.count
    for part in parts {
      shared = min(shared, zip(first, part).prefix { $0 == $1 }.count)
    }
    let folders = parts.map { $0.count > shared ? String($0[shared]) : nil }
    if Set(folders.compactMap { $0 }).contains(where: { !labelling.known($0).isEmpty }) {
      return folders
    }
    if let common = first.prefix(shared).last(where: { !labelling.known(String($0)).isEmpty }) {
      return paths.map { _ in String(common) }
    }
    return folders.contains(nil) ? paths.map { _ in nil } : folders
  }

  private mutating func useTable(
    _ table: Found, files: [Found], root: String, _ labelling: ImageLabelling
  ) throws(MartletError) {
    let source = root + "/" + table.path
    let rows = try LabelTable(
      try LabelTable.text(try table.location.read(), source), source: source)
    guard let file = rows.column("file"), let label = rows.column("label") else {
      throw MartletError(
        .invalidFile, "the first line of a labels file must name its columns",
        context: ["file": source, "needed": "file, label"])
    }
    let folder = FileSystem.folder(of: table.path)
    let prefix = folder == "." && !table.path.hasPrefix("./") ? "" : folder + "/"
    let places = Dictionary(files.map { ($0.path, $0.location) }) { _, last in last }
    var names: [Int: String] = [:]
    for row in rows.rows {
      let context: KeyValuePairs = ["file": source, "line": "\(row.line)"]
      guard row.fields.count > max(file, label), let number = LabelTable.label(row.fields[label])
      else {
        throw MartletError(.invalidFile, "a line of a labels file has no label", context: context)
      }
      if let count = labelling.count, number >= count {
        throw MartletError(
          .mismatch, "a line of a labels file has a label that the model has no output for",
          context: context
        ).adding("label", "\(number)").adding("outputs", "\(count)")
      }
      guard let location = places[prefix + row.fields[file]] else {
        throw MartletError(
          .invalidFile, "a labels file lists an image that is not there", context: context
        ).adding("image", row.fields[file])
      }
      members.append(
        Member(item: .init(name: row.fields[file], label: number, location: location), folder: nil))
      if let name = rows.column("name"), row.fields.count > name {
        names[number] = row.fields[name]
      }
    }
    guard !names.isEmpty else { return }
    labelNames = LabelNames(byLabel: names)
    if case .classes(_, let outputs) = labelling {
      labelNames = try labelNames?.fitted(to: outputs, source: source)
    }
  }
}
