"""One pass over the shards.

settings.py             how to audit: `AuditSettings`
benchmark_items.py      items of benchmarks, read
searches.py             what is looked for in train meanwhile
scanner.py              a batch of documents: lengths, ids, hashes, signatures
documents.py            the documents of all shards as columns
shard_cache_format.py   one scanned shard as a file
shard_cache.py          scanned shards that a stopped run need not scan again
scan_shards.py          all shards, scanned or read from the cache
"""
