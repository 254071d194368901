"""Bands propose pairs, the true Jaccard decides, clusters come of what is left.

jaccard.py         the true Jaccard of two documents' shingle sets
buckets.py         documents whose keys agree in a band
candidates.py      pairs that some band proposes; groups of equal keys, and back to their pairs
clusters.py        documents joined by pairs
keepers.py         the one of each cluster that is kept
large_buckets.py   pairs of buckets too large for all of theirs
planted_pairs.py   how often the bands find pairs of a known Jaccard
replays.py         pairs proposed again, under other permutations
"""
