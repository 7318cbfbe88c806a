"""Long work: training loops, and the evaluation and card that end them."""
