"""Held-out text that stands in train: whole, nearly, or in part.

shared.py          what held texts share with training documents, boilerplate apart
tiers.py           each leaked validation document, its tier, and the document that gives it away
contamination.py   which items of benchmarks stand in train
"""
