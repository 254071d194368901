"""Signatures: what stands for a document when pairs are looked for.

affine32.py          32-bit permutations, datasketch's values
affine64.py          64-bit permutations, datasketch's scheme "affine64"
fast_similarity.py   Fast Similarity Sketching
sign.py              one pass over documents that signs them
band_keys.py         one key a band, which is all that is kept
config.py            threshold, bands and rows, shingles, scheme: `MinHashConfig`, and presets
"""
