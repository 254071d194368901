"""What repeats what.

candidate_sets.py   shingle sets of candidates, read again from the shards
near_pairs.py       near pairs, proposed and verified
cluster_replays.py  near pairs of clusters, found or missed, and found again
near_recall.py      the share of near pairs found, and its interval
leakage.py          validation documents that have a copy in train
duplicates.py       clusters of pairs, and what of them stays
"""
