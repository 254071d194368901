"""Hypotheses about the training data: overfitting, too little of it, its quality."""
