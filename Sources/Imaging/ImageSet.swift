package import Foundations
package import ModelCards
import TensorFiles

/// Images with labels where these are known, from files, folders and tar archives; see `open`.
package struct ImageSet: Sendable {
  /// Where the bytes of one image are.
  enum Location: Sendable {
    case file(String)
    case archived(TarArchive, TarArchive.Entry)

    func read() throws(MartletError) -> [UInt8] {
      switch self {
      case .file(let path): try FileSystem.read(path, limit: ImageSet.maximumBytes)
      case .archived(let archive, let entry):
        try archive.file.bytes(at: entry.offset, count: min(entry.size, ImageSet.maximumBytes))
      }
    }
  }

  struct Item: Sendable {
    var name: String
    var label: Int?
    var location: Location
  }

  /// The largest image file that is read: 256 MiB.
  static let maximumBytes = 256 << 20

  let items: [Item]
  /// The names of the labels, where the source tells them.
  package let labelNames: LabelNames?

  /// The number of images.
  package var count: Int { items.count }
  /// The name of an image, for messages and tables.
  package func name(_ index: Int) -> String { items[index].name }
  /// The label of an image, or nil if it is not known.
  package func label(_ index: Int) -> Int? { items[index].label }

  /// Reads and decodes an image.
  ///
  /// - Throws: what reading and `Image.decode` throw, naming the image.
  package func load(_ index: Int) throws(MartletError) -> Image {
    try Image.decode(items[index].location.read(), source: items[index].name)
  }

  /// Finds images under each of `paths`, in this order.
  ///
  /// A path is an image, a folder, or an uncompressed tar archive, which is read in place. In a
  /// folder or an archive:
  /// - a `labels.tsv` whose first line names the columns `file` and `label` (and perhaps `name`)
  ///   lists the images, relative to itself;
  /// - else, when the images lie in subfolders, each subfolder is a class, and `labelling` says which;
  /// - else the images have no labels.
  ///
  /// Links to files and folders are followed. Files whose names do not end like those of images are
  /// passed over.
  ///
  /// - Throws: `notFound` when there is no image, `invalidFile` for a table that does not fit,
  ///   `mismatch` for a label or a folder that is no class.
  package static func open(
    paths: [String], labelling: ImageLabelling
  ) throws(MartletError) -> ImageSet {
    var members: [ImageTree.Member] = []
    var names = labelling.names
    for path in paths {
      if FileSystem.isFolder(path) || path.lowercased().hasSuffix(".tar") {
        let tree = try ImageTree(path, labelling)
        members += tree.members
        names = names ?? tree.labelNames
      } else {
        guard FileSystem.exists(path) else {
          throw MartletError(.notFound, "an image does not exist", context: ["file": path])
        }
        members.append(
          .init(item: Item(name: path, label: nil, location: .file(path)), folder: nil))
      }
    }
    let searched = paths.joined(separator: " ")
    guard !members.isEmpty else {
      throw MartletError(
        .notFound, "no images were found", context: ["searched": searched],
        hint: "name JPEG or PNG files, a folder of them or a tar archive")
    }
    let classes = try FolderClasses(
      Set(members.compactMap(\.folder)), labelling, searched: searched)
    return ImageSet(
      items: members.map { member in
        var item = member.item
        if let folder = member.folder { item.label = classes.label(of: folder) }
        return item
      }, labelNames: names ?? classes.names)
  }
}
