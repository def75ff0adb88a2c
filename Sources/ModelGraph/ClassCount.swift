import TensorCore

extension Graph {
  /// How many classes the first output scores, if it can be scores of classes: a vector for each of
  /// the batch's inputs. Nil for maps and for a model without outputs.
  public var classCount: Int? {
    guard let output = outputs.first else { return nil }
    let extents = self[output].shape.dimensions
    let isVector = extents.dropFirst(2).allSatisfy { $0 == 1 }
    return isVector && !extents.isEmpty ? extents.count == 1 ? extents[0] : extents[1] : nil
  }
}
