import Foundations
import Tensors

extension Graph {
  /// How many classes the first output scores, if it can be scores of classes: one vector for each
  /// input of the batch, whatever axes of one element are beside it. Nil for maps and for a model
  /// without outputs.
  package var classCount: Int? {
    guard let output = outputs.first else { return nil }
    let extents = self[output].shape.dimensions
    let own = extents.count == 1 ? extents[...] : extents.dropFirst()
    guard !own.isEmpty, own.count(where: { $0 > 1 }) <= 1 else { return nil }
    return own.reduce(1, *)
  }
}
