"""Text on its way in: shards, documents, token ids.

vocabulary.py   a tokenizer's ranks, read from where they lie
tokenizer.py    ids of texts: gigatoken, and tiktoken as the reference
bin_file.py     token ids in a file without a header
shards.py       the files that were named, opened and checked
documents.py    batches of documents out of a shard
"""
