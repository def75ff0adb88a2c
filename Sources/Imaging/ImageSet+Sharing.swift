package import Foundations
import TensorFiles

extension ImageSet {
  /// What two sets of images have in common.
  package struct Overlap: Sendable, Equatable {
    /// How many images of the first set are in the second, byte for byte.
    package var count: Int
    /// The number of images in the first set.
    package var of: Int
    /// The names of one such image in the first and in the second set.
    package var example: (String, String)?

    /// Compares everything.
    package static func == (left: Overlap, right: Overlap) -> Bool {
      left.count == right.count && left.of == right.of && left.example?.0 == right.example?.0
        && left.example?.1 == right.example?.1
    }
  }

  /// Which of these images are among others too, whatever they are called and wherever they lie.
  ///
  /// Only images of the same length are read, so that the price is small where nothing is shared.
  ///
  /// - Throws: what reading throws; an image that has vanished is not shared.
  package func overlap(with other: ImageSet) throws(MartletError) -> Overlap {
    var overlap = Overlap(count: 0, of: count)
    var lengths: [Int: [Int]] = [:]
    for index in items.indices {
      if let length = items[index].location.length { lengths[length, default: []].append(index) }
    }
    var digests: [Int: [String: [Int]]] = [:]
    var found: Set<Int> = []
    for item in other.items {
      guard let length = item.location.length, let candidates = lengths[length] else { continue }
      if digests[length] == nil {
        var byDigest: [String: [Int]] = [:]
        for index in candidates {
          byDigest[try FileDigest.sha256(try bytes(index)), default: []].append(index)
        }
        digests[length] = byDigest
      }
      let digest = try FileDigest.sha256(try item.location.read())
      for index in digests[length]?[digest] ?? [] where found.insert(index).inserted {
        if overlap.example == nil { overlap.example = (name(index), item.name) }
      }
    }
    overlap.count = found.count
    return overlap
  }
}

extension ImageSet.Location {
  /// Bytes of the image, without reading it; nil when it cannot be said.
  fileprivate var length: Int? {
    switch self {
    case .file(let path): (try? ReadableFile(path))?.size
    case .archived(_, let entry): entry.size
    }
  }
}
