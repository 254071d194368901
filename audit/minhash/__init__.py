"""Signatures: what stands for a document when pairs are looked for.

permutations.py      datasketch's schemes "affine32" and "affine64", value for value
fast_similarity.py   Fast Similarity Sketching
sign.py              one pass over documents that signs them
band_keys.py         one key a band, which is all that is kept
lsh_config.py        threshold, bands and rows, shingles, scheme: `MinHashConfig`, and presets
"""
