/// The importance of every neuron of a model: the points (s1, s2, s3) of RobustDiCE, section 4.2.
///
/// Scores are kept as computed; `points` normalises them.
package struct ImportanceScores: Sendable, Equatable {
  /// One of the three scores.
  package enum Score: String, Sendable, CaseIterable, Codable {
    /// The l1 norm of the neuron's weights plus the absolute value of its bias.
    case s1
    /// Taylor sensitivity: the sum of |dy/dw w| over the weights plus |dy/db b|, y the logit of the
    /// top class summed over the calibration images. (A sum of softmax outputs is always 1 and has
    /// no gradient.)
    case s2
    /// The Jensen-Shannon divergence, in nats, between the output distributions with and without
    /// the neuron, averaged over calibration images.
    case s3
  }

  /// The scores of one weighted node.
  package struct Layer: Sendable, Equatable, Codable {
    /// The node's name in the graph.
    package var name: String
    /// By neuron.
    package var s1: [Double]
    /// By neuron; nil when it has not been computed.
    package var s2: [Double]?
    /// By neuron, for as many neurons as have been scored so far; nil for none.
    package var s3: [Double]?

    /// Makes a layer's scores.
    package init(name: String, s1: [Double], s2: [Double]? = nil, s3: [Double]? = nil) {
      self.name = name
      self.s1 = s1
      self.s2 = s2
      self.s3 = s3
    }

    /// One score of every neuron; nil when it is missing or not complete.
    package func values(_ score: Score) -> [Double]? {
      let values =
        switch score {
        case .s1: s1
        case .s2: s2
        case .s3: s3
        }
      return values?.count == s1.count ? values : nil
    }
  }

  /// The images that a score was computed from.
  package struct Calibration: Sendable, Equatable, Codable {
    /// How many.
    package var images: Int
    /// A SHA-256 over the images in order and how they are prepared.
    package var sha256: String
    /// What was chosen where the paper is silent; nil for what `Scoring` does unless told otherwise.
    package var choice: String?

    /// Describes a set of images.
    package init(images: Int, sha256: String, choice: String? = nil) {
      self.images = images
      self.sha256 = sha256
      self.choice = choice
    }
  }

  /// The SHA-256 of the model's file.
  package var model: String
  /// The images behind s2; nil when there is no s2.
  package var s2Calibration: Calibration?
  /// The images behind s3; nil when there is no s3.
  package var s3Calibration: Calibration?
  /// The weighted nodes in graph order.
  package var layers: [Layer]

  /// Makes scores.
  package init(
    model: String, s2Calibration: Calibration? = nil, s3Calibration: Calibration? = nil,
    layers: [Layer]
  ) {
    self.model = model
    self.s2Calibration = s2Calibration
    self.s3Calibration = s3Calibration
    self.layers = layers
  }

  /// The scores of a node by name.
  package subscript(name: String) -> Layer? { layers.first { $0.name == name } }

  /// Whether every neuron has these scores.
  package func isComplete(_ scores: some Sequence<Score>) -> Bool {
    scores.allSatisfy { score in layers.allSatisfy { $0.values(score) != nil } }
  }
}
