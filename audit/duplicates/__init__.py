"""What repeats what.

candidate_sets.py   shingle sets of candidates, read again from the shards
duplicates.py       exact and near duplicates, verified and clustered
leakage.py          validation documents that have a copy in train
"""
