/// What commands that read labelled images say about labels.
enum LabellingHelp {
  static let text = """
    Labels: a labels.tsv with the columns file and label (an output's number), or a subfolder for \
    each class, named after the class or the number of its output. Links are followed. The class \
    names are those of --labels, the plan or MODEL.json; without any, there must be a subfolder \
    for each output, in the order of their names. A subfolder that is no class is an error.
    """
}
