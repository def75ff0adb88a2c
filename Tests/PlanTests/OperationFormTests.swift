import Foundations
import JSONCoding
import ModelGraph
import Testing

/// How operations are written in plans: the text must stay what older versions read and wrote.
@Suite struct OperationFormTests {
  static let forms: [(ModelGraph.Operation, String)] = [
    (
      .convolution(Convolution(kernel: Pair(3, 2), padding: Padding(1, 2, 3, 4), groups: 2)),
      #"{"kernel":[3,2],"strides":[1,1],"dilations":[1,1],"padding":[1,2,3,4],"groups":2,"#
        + #""kind":"convolution"}"#
    ),
    (
      .convolution(
        Convolution(kernel: Pair(1, 1), groupOutputs: [3], activation: .leakyRelu(slope: 0.5))),
      #"{"kernel":[1,1],"strides":[1,1],"dilations":[1,1],"padding":[0,0,0,0],"groups":1,"#
        + #""groupOutputs":[3],"activation":{"kind":"leakyRelu","slope":0.5},"#
        + #""kind":"convolution"}"#
    ),
    (
      .convolution(Convolution(kernel: Pair(2, 2), spread: Pair(2, 3))),
      #"{"kernel":[2,2],"strides":[1,1],"dilations":[1,1],"padding":[0,0,0,0],"groups":1,"#
        + #""spread":[2,3],"kind":"convolution"}"#
    ),
    (.dense(Dense()), #"{"kind":"dense"}"#),
    (
      .dense(Dense(activation: .relu)), #"{"activation":{"kind":"relu"},"kind":"dense"}"#
    ),
    (.matMul, #"{"kind":"matMul"}"#),
    (
      .pooling(Pooling(kind: .average, kernel: Pair(2, 2), countsPadding: true)),
      #"{"function":"average","kernel":[2,2],"strides":[1,1],"dilations":[1,1],"#
        + #""padding":[0,0,0,0],"countsPadding":true,"kind":"pooling"}"#
    ),
    (.activation(.silu), #"{"activation":{"kind":"silu"},"kind":"activation"}"#),
    (
      .activation(.selu(slope: 1.5, scale: 0.5)),
      #"{"activation":{"kind":"selu","slope":1.5,"scale":0.5},"kind":"activation"}"#
    ),
    (
      .activation(.thresholdedRelu(threshold: 0.5)),
      #"{"activation":{"kind":"thresholdedRelu","threshold":0.5},"kind":"activation"}"#
    ),
    (.unary(.negate), #"{"function":"negate","kind":"unary"}"#),
    (.binary(.add), #"{"function":"add","kind":"binary"}"#),
    (.binary(.lessOrEqual), #"{"function":"lessOrEqual","kind":"binary"}"#),
    (.choice, #"{"kind":"choice"}"#),
    (.channelAffine, #"{"kind":"channelAffine"}"#),
    (
      .layerNormalization(LayerNormalization(axes: [1], epsilon: 0.5)),
      #"{"axes":[1],"epsilon":0.5,"kind":"layerNormalization"}"#
    ),
    (
      .softmax(axis: 1, logarithmic: true), #"{"axis":1,"logarithmic":true,"kind":"softmax"}"#
    ),
    (.concatenation(axis: 2), #"{"axis":2,"kind":"concatenation"}"#),
    (.transpose(permutation: [1, 0]), #"{"permutation":[1,0],"kind":"transpose"}"#),
    (.reshape, #"{"kind":"reshape"}"#),
    (
      .slice([SliceRange(start: 1, step: 2, count: 3)]),
      #"{"ranges":[{"start":1,"step":2,"count":3}],"kind":"slice"}"#
    ),
    (
      .pad(before: [1], after: [-1], value: 0.5),
      #"{"before":[1],"after":[-1],"value":0.5,"kind":"pad"}"#
    ),
    (
      .reduction(Reduction(kind: .mean, axes: [2, 3])),
      #"{"function":"mean","axes":[2,3],"kind":"reduction"}"#
    ),
    (
      .extremum(Extremum(axis: 1, isSmallest: true)),
      #"{"axis":1,"isSmallest":true,"isLast":false,"kind":"extremum"}"#
    ),
    (.selection(axis: 1, indices: [2, 0]), #"{"axis":1,"indices":[2,0],"kind":"selection"}"#),
    (
      .resize(
        Resize(
          filter: .cubic,
          axes: [Resize.Axis(axis: 2, extent: 3, scale: 1.5, start: 0.25, end: 0.75)],
          coordinates: .tfCropAndResize, rounding: .floor, excludesOutside: true,
          extrapolation: 0.5)),
      #"{"filter":"cubic","axes":[{"axis":2,"extent":3,"scale":1.5,"start":0.25,"end":0.75}],"#
        + #""coordinates":"tfCropAndResize","rounding":"floor","cubicCoefficient":-0.75,"#
        + #""excludesOutside":true,"antialias":false,"extrapolation":0.5,"kind":"resize"}"#
    ),
    (
      .combination(Combination(axis: 1, rows: [[.init(index: 2, factor: 0.5)]])),
      #"{"axis":1,"rows":[[{"index":2,"factor":0.5}]],"kind":"combination"}"#
    ),
    (
      .exchange(Exchange(layer: "one", axis: 1, extents: [2, 3])),
      #"{"layer":"one","axis":1,"extents":[2,3],"kind":"exchange"}"#
    ),
  ]

  @Test(arguments: forms) func form(_ operation: ModelGraph.Operation, text: String) throws {
    let bytes = try JSON.encode(operation)
    #expect(String(decoding: bytes, as: UTF8.self) == text)
    let read = try JSON.decode(ModelGraph.Operation.self, from: bytes, source: "form")
    #expect(read == operation)
    #expect(operation.facts.operation == operation)
  }

  /// A case of the enumeration that `Operation.all` forgets could be written and not read.
  @Test func everyKindHasAForm() {
    let kinds = Operation.all.map { $0.kind }
    #expect(Set(kinds).count == kinds.count)
    #expect(Set(Self.forms.map(\.0.kind)) == Set(kinds))
  }

  @Test func unknownKindsAreRefused() {
    #expect(throws: MartletError.self) {
      try JSON.decode(
        ModelGraph.Operation.self, from: Array(#"{"kind":"convolve"}"#.utf8), source: "form")
    }
  }
}
