"""The verbs.

launch.py          a run in one process or in several
train.py           `assay train`
verdict_text.py    a verdict for the terminal
compare.py         `assay compare`
score.py           `assay score`
probe_text.py      a probe for the terminal
probe.py           `assay probe`
"""
