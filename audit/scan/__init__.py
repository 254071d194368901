"""One pass over the shards.

settings.py             how to audit
tokenizer_check.py      what the reference tokenizer says of a sample
scanner.py              a batch of documents: lengths, ids, hashes, signatures
corpus.py               the documents of all shards as columns
shard_cache_format.py   the columns of one scanned shard as a file
shard_cache.py          scanned shards that a stopped run need not scan again
recorder.py             a scanned shard's hash and cache, made while others are scanned
collect.py              all shards into one corpus
"""
