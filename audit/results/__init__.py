"""What was found, as the folder holds it.

totals.py     counts of the manifest
findings.py   what they mean
tables.py     documents, pairs, clusters, leaks and planted pairs as parquet
"""
