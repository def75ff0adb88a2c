// ModelGraphTests
