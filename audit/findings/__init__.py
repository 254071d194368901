"""What was found, beside its threshold, and as files.

lengths.py    how long documents are
totals.py     counts of the manifest
findings.py   findings, each beside its threshold
budget.py     a plan held against what was measured
gates.py      `--fail-on`
write.py      tables and findings as files
measure.py    from a corpus to all of these
"""
