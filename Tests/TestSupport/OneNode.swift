package import ModelGraph
package import Tensors

extension Graph {
  /// A graph of one node; operands listed in `constants` become weights, the others inputs.
  package init(
    _ operation: ModelGraph.Operation, _ operands: [Tensor], output: Shape,
    constants: Set<Int> = []
  ) {
    self.init(name: "test")
    var ids: [ValueID] = []
    for (index, operand) in operands.enumerated() {
      if constants.contains(index) {
        ids.append(add(constant: operand, name: "constant\(index)"))
      } else {
        let id = add(Value(name: "input\(index)", shape: operand.shape))
        inputs.append(id)
        ids.append(id)
      }
    }
    let result = add(Value(name: "result", shape: output))
    nodes.append(Node(name: "node", operation: operation, inputs: ids, output: result))
    outputs = [result]
  }
}
