"""Hypotheses about the training: schedule, learning rate, capacity, dropout, precision, speed."""
