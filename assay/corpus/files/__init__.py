"""Which files an input names, what they are named for, and which are none.

split_names.py  train, val or test, told from the names of a file and its folders
hidden.py       names that writers of tables leave out, and everybody who reads them
delta.py        the live files of a Delta table
tables.py       folders in which not every file counts: Delta, Iceberg, Hudi, saved data sets
folder.py       the shards of a folder, at any depth, and what was left out
expand.py       the files that paths, folders and patterns name

`assay.corpus.inputs` puts them together.
"""
