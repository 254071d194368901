"""What may hold a loss, weighed by the run's own numbers.

data/, training/, validation/   a file a hypothesis: `read_evidence(run)` yields facts as log-odds
                                points, in sentences with numbers; some have `estimate_gain(run)`
missing.py                      what would have to be known, and what tells it
experiments.py                  what would decide, and what it costs
weigh.py                        all of them, likeliest first
levers.py                       what each change is expected to buy

A new one is a file with `read_evidence`, its name and title in `assay/formats/hypothesis.py`, and
its places in the tables of `missing.py`, `experiments.py` and `weigh.py`.
"""

PACKAGES = ("data", "training", "validation")
