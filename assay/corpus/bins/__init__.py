"""Bins of token ids, told for what they are from what they hold.

layout.py        where ids lie in a file: their type, where they begin, how many
headers.py       llm.c's header, and what else begins like no bin at all
numpy_file.py    NumPy's files, as build-nanogpt writes them
widths.py        16, 32 or 64 bits an id, where no header says it
survey.py        one pass over ids: bounds, end-of-text, runs of zeros
contents.py      ids that contradict what they are taken for
spans.py         where documents lie: between end-of-text ids, or as an index says
datatrove.py     `.ds` with `.ds.index` and `.ds.metadata`
megatron.py      `.bin` with `.idx`
meta_pickle.py   nanoGPT's `meta.pkl`, read without unpickling
characters.py    a character vocabulary in the place of a tokenizer
bin_file.py      all of it: a file to its ids and its documents
"""
