"""Bands propose pairs, the true Jaccard decides.

jaccard.py         the true Jaccard of two documents' shingle sets
buckets.py         documents whose keys agree in a band
candidates.py      pairs that some band proposes; groups of equal keys, and back to their pairs
bucket_index.py    the buckets too large for all of their pairs, by document
large_buckets.py   pairs of those buckets that join, and val with train
cluster_pairs.py   pairs within clusters, with those that stay at least
planted_pairs.py   how often the bands find pairs of a known Jaccard
replays.py         pairs proposed again, under other permutations
"""
