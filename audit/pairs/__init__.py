"""Bands propose pairs, the true Jaccard decides, clusters come of what is left.

jaccard.py         the true Jaccard of two documents' shingle sets
buckets.py         documents whose keys agree in a band
groups.py          from first documents back to all that are like them
candidates.py      pairs that some band proposes
cross_split.py     pairs of validation and train in large buckets
clusters.py        documents joined by pairs, and the one that is kept
planted_pairs.py   how often the bands find pairs of a known Jaccard
"""
