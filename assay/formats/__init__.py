"""What the folders hold that stages hand to each other; one file a kind.

Names of files, columns of tables, totals of manifests, how a folder is opened and read. Rooms
meet here and nowhere else: `audit` writes what `audit.py` says, `prepare` and `reports` read it.

findings.py        a measurement beside its threshold
audit.py           audits
bins.py            token bins
train_config.py    settings of a run
run.py             runs and their checkpoints
comparison.py      comparisons: `verdict.json`
probe.py           probes: `probe.json`
hypothesis.py      what may hold a loss, and the evidence
diagnosis.py       diagnoses: `diagnosis.json`
"""
