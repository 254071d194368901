"""A folder looked into.

describe.py   what a folder holds
show.py       `assay show`
verify.py     `assay verify`
"""
