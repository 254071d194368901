"""What repeats what, judged from pairs: which documents belong together, and which of them stay.

copies.py        documents with the same text
clusters.py      documents joined by pairs
keepers.py       those that stay, and for each other the one that it repeats most
known_pairs.py   the pairs that an audit keeps, read back, and cut at another threshold
"""
