"""What repeats what.

candidate_sets.py   shingle sets of candidates, read again from the shards
duplicates.py       exact and near duplicates, verified and clustered
cluster_replays.py  near pairs of clusters, found or missed, and found again
near_recall.py      the share of near pairs found, and its interval
leakage.py          validation documents that have a copy in train
"""
