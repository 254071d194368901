"""One view a kind of folder: its banner (`head_...`) and its sections (`view_...`).

untold.py               what is said where documents cannot be told
audit.py                what was found, what was read
lengths.py              how long documents are
duplicates.py           duplicates, with the texts that show them
leakage.py              validation documents in train, and where they stand there
bins.py                 what came in, what was dropped, what is left
run.py                  losses over tokens seen, and what data was seen
comparison_details.py   parts of a comparison's section
comparison.py           verdict, losses, arms, seeds, gates
probe.py                which cause a probe names
diagnosis.py            causes, evidence, the curve and its forecast
origin.py               inputs and manifests by sha256; all of it as JSON
"""
