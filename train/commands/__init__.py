"""The verbs on the command line: each parses, calls one function of the library, and prints.

options.py        options that verbs share
train.py          `assay train`
verdict_text.py   a verdict for the terminal
compare.py        `assay compare`
score_text.py     scores for the terminal
score.py          `assay score`
probe_text.py     a probe for the terminal
probe.py          `assay probe`
"""
