"""Text that two sides share: n-grams of words, and the spans that they make up.

One side, validation documents or a benchmark's items, is held in memory; the other streams by. This
package knows texts and numbers alone, neither shards nor splits.

rows.py          tables that grow within a kernel
word_places.py   where words stand, and whether two are the same
index.py         the n-grams of the side that is held, in a table
hits.py          n-grams of a batch of texts that the index has, each checked as strings
hit_table.py     hits of all batches, in memory or on disk
spread.py        in how many clusters each n-gram stands: what is boilerplate
overlaps.py      from hits to pairs of texts, and the spans that they share
"""
