"""What is measured of documents, and what it means: findings, each beside its threshold.

integrity.py      shards that cannot be read, and those whose bits nothing vouches for
leaks.py          validation documents with a copy in train
benchmarks.py    items of benchmarks that stand in train
duplicates.py     exact and near duplicates, clusters, unique tokens
repeats.py        repeats below the level of documents: not measured yet
texts.py          rows without text, texts that are broken, empty or short
detection.py      what the bands can find
tokens.py         how long documents are in tokens, and the shards' own counts
budget.py         a planned training run, compared with the unique tokens
registry.py       all of them, in the order of their findings
gates.py          `--fail-on`: findings that fail an audit, and those not measured
"""
