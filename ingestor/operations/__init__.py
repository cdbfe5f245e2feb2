"""What an operator does with an archive as a whole: verify it, back it up."""
