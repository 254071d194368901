"""Text on its way in: shards, documents, token ids.

gpt2_ranks.py     GPT-2's vocabulary, which comes with the package
long_runs.py      long runs of white space, cut as an encoding cuts them
tokenizer.py      ids of texts: gigatoken, and tiktoken as the reference
bin_file.py       bins of token ids, nanoGPT's and llm.c's
inputs.py         the files that paths, folders and patterns name
shards.py         those files, opened and checked
shard_reader.py   batches of documents out of a shard
text_batch.py     their texts, as measurements read them
tokenizer_check.py  ids of a batch, and what the reference tokenizer says of a sample
"""
