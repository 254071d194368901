"""What training documents share with validation documents, and how it is taken out.

measures.py       what counts as shared
exact.py          the same texts, by hashes
token_words.py    words of documents, hashed straight from token ids
candidates.py     documents that may share enough to be looked at as strings
texts.py          texts of documents, decoded from their ids
sorted_values.py  places of values in a sorted array
near_pairs.py     near duplicates, counted without permutations
evidence.py       one pass: n-grams that both sides have, and near pairs
judge.py          which texts leak to which documents, among those that are still there
count.py          leaked documents by tier
clean.py          what goes, until nothing leaks
"""
