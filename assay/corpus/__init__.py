"""Text on its way in: shards, documents, token ids.

gpt2_ranks.py     GPT-2's vocabulary, which comes with the package
long_runs.py      long runs of white space, cut as an encoding cuts them
tokenizer.py      ids of texts: gigatoken, and tiktoken as the reference
bin_file.py       bins as assay writes them
bins/             bins that others wrote, told for what they are
files/            which files an input names, and what they are named for
inputs.py         the files that paths, folders and patterns name
conversions.py    formats that are no shards, and the commands that make shards of them
contents.py       what a file is, where it is not what its name says
shards.py         a file, checked, and its units of reading
readers/          the formats of shards, a file each
open_shards.py    files opened, each by its format
shard_reader.py   batches of documents out of a shard
text_batch.py     their texts, as measurements read them
tokenizer_check.py  ids of a batch, and what the reference tokenizer says of a sample
"""

PACKAGES = ("bins", "readers", "files")
