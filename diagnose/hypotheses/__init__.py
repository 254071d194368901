"""What may hold a loss, weighed by the run's own numbers.

data.py, training.py, validation.py   the evidence: a function a hypothesis yields facts as log-odds
                                      points, in sentences with numbers
missing.py                            what would have to be known, and what tells it
experiments.py                        what would decide, and what it costs
weigh.py                              all of them, likeliest first
levers.py                             what each change is expected to buy

A new one is such a function, its name and title in `assay/formats/hypothesis.py`, and its places in
the tables of `missing.py`, `experiments.py` and `weigh.py`.
"""
