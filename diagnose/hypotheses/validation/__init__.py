"""Hypotheses about the validation, which change what is seen of a loss, not the loss."""
