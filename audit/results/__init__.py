"""What was found, as the folder holds it.

totals.py        counts of the manifest
benchmarks.py    items of benchmarks in train, counted and written
tables.py        documents, pairs and clusters as parquet
places.py        documents named in a table
leak_tables.py   leaked documents, and spans, as parquet
leaks.py         leaks found, counted and written
"""
