"""Files that are whole or absent, and folders sealed by a manifest.

fingerprint.py     sha256 of files and settings
publish.py         write a file so that its final name is whole or absent
manifest.py        `manifest.json`: what a folder holds, and whether it still does
sealed_folder.py   claim a folder, fill it, seal it with its manifest
page_checksums.py  do the pages of a parquet file carry checksums?
tables.py          parquet with page checksums, written and read
recipe.py          what makes a folder: used to seal it, and to recognise a finished one
spill.py           arrays too large for memory, in files without a name
"""
