"""What was found, as the folder holds it.

totals.py   counts of the manifest
tables.py   documents, pairs, clusters and leaks as parquet
"""
