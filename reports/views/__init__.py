"""One view a kind of folder.

audit.py                what was read, how long documents are
duplicates.py           duplicates and leakage, with the texts that show them
bins.py                 what came in, what was dropped, what is left
comparison_details.py   parts of a comparison's section
comparison.py           verdict, losses, arms, seeds, gates; runs
probe.py                what a probe names
diagnosis.py            what a diagnosis comes to
header.py               what stands around the sections
"""
