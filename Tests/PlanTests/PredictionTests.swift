import Plan
import Tensors
import Testing

/// Outputs, read as a head says.
@Suite struct PredictionTests {
  private func prediction(
    _ values: [Float], _ task: Head.Task, _ scores: Head.Scores, _ names: [String] = []
  ) -> Prediction {
    Prediction(scores: values, head: Head(task, scores), names: names)
  }

  @Test func oneSigmoidIsYesOrNo() {
    let no = prediction([0.062], .binary, .probabilities, ["cat"])
    #expect(no.label == 0 && no.top[0].name == "not cat")
    #expect(abs(no.top[0].confidence - 0.938) < 1e-6 && no.text() == "not cat 93.8 %")
    let yes = prediction([0.9], .binary, .probabilities, ["dog", "cat"])
    #expect(yes.label == 1 && yes.text() == "cat 90.0 %")
    #expect(yes.isRight(1) == true && yes.isRight(0) == false)
    let logit = prediction([2], .binary, .logits)
    #expect(logit.label == 1 && abs(logit.top[0].confidence - 0.880797) < 1e-6)
    #expect(prediction([.nan], .binary, .probabilities).top[0].confidence == 0)
  }

  @Test func labelsAreEachAsLikelyAsTheySay() {
    let names = ["cat", "dog", "bird"]
    let many = prediction([0.994, 0.158, 0.941], .multilabel, .probabilities, names)
    #expect(many.chosen.map(\.label) == [0, 2] && many.label == 0)
    #expect(many.text() == "cat 99.4 %, bird 94.1 %")
    #expect(many.top.map(\.label) == [0, 2, 1] && many.isRight(0) == nil)
    let none = prediction([0.1, 0.3, 0.2], .multilabel, .probabilities, names)
    #expect(none.chosen.isEmpty && none.text() == "no label (likeliest: dog 30.0 %)")
    let logits = prediction([3, -3, 0], .multilabel, .logits, names)
    #expect(logits.chosen.map(\.label) == [0, 2])
  }

  @Test func probabilitiesAreNotNormalisedAgain() {
    let unsure = prediction([0.2, 0.1], .classification, .probabilities, ["a", "b"])
    #expect(abs(unsure.top[0].confidence - 0.2) < 1e-6)
    // Logits that happen to add up to one.
    let logits = prediction([0.75, 0.25], .classification, .logits)
    #expect(abs(logits.top[0].confidence - 0.6224593) < 1e-6)
    let either = prediction([0.75, 0.25], .classification, .either)
    #expect(either.top[0].confidence == 0.75)
    #expect(prediction([1, .nan, 3], .classification, .logits).label == 2)
    #expect(prediction([1, 1, 0], .classification, .logits).label == 0, "of equal ones the first")
  }

  @Test func whatNamesNoClassIsSummarised() {
    let map = Tensor([1, 1, 2, 2], [-1, 0, 1, .infinity])
    let raw = Prediction(
      [("heat", map), ("box", Tensor([1, 2], [3, 5] as [Float]))], head: .raw, names: ["cat"])
    #expect(raw.label == nil && raw.top.isEmpty && raw.isRight(0) == nil)
    #expect(raw.outputs.map(\.name) == ["heat", "box"])
    #expect(raw.outputs[0].statistics.notFinite == 1 && raw.outputs[1].statistics.mean == 4)
    #expect(raw.text().contains("heat 1x1x2x2: min -1.0, mean 0.0, max 1.0, 1 not finite"))
    #expect(raw.text().contains("box 1x2: min 3.0, mean 4.0, max 5.0"))
  }
}
