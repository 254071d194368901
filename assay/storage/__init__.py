"""Files that are whole or absent, and folders sealed by a manifest.

fingerprint.py   sha256 of files and settings
publish.py       write a file so that its final name is whole or absent
artifacts.py     claim a folder, fill it, seal it with `manifest.json`; open it again
tables.py        parquet with page checksums, written and read
recipe.py        what makes a folder: used to seal it, and to recognise a finished one
spill.py         arrays too large for memory, in files without a name
"""
