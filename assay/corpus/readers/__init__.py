"""The formats of shards, a file each: how one is opened and checked, and how it is read.

formats.py    which format a file is
batch.py      documents as they come out of a shard
documents.py  rows of texts to a batch: nulls, long texts, texts that are not UTF-8
table_batches.py  a table of rows, cut by size into batches with their labels
text_column.py  the text of a row: a column, a field, the messages of a chat
labels.py     ids, addresses and token counts that stand beside the texts
parquet.py    parquet, a row group at a time
arrow_ipc.py  Arrow files and streams, some record batches at a time
json_lines.py JSON lines, some lines at a time
json_rows.py  rows of JSON lines as columns
line_source.py  the bytes of a file of lines, plain or compressed
bin.py        bins of token ids, some documents at a time

A format is `open_FORMAT(path, split, index, ...)`, which returns a checked `Shard` or raises a
ShardError that says what the file is instead, and a reader: a class that is made once a thread for
a shard and has `read(unit)`, which yields the documents of one unit of reading, in order.
`assay.corpus.open_shards` and `assay.corpus.shard_reader` choose among them.
"""
