"""What may hold a loss, weighed by the run's own numbers.

data/, training/, validation/   a file a hypothesis, all of one shape: `read_evidence(run)` yields
                                facts as log-odds points, in sentences with numbers;
                                `list_missing(run)` names what would have to be known
experiments.py                  what would decide, and what it costs
weigh.py                        all of them, likeliest first
levers.py                       what each change is expected to buy

A new one is a file with these two functions, its name and title in `assay/formats/hypothesis.py`,
and its places in the tables of `weigh.py` and `experiments.py`.
"""

PACKAGES = ("data", "training", "validation")
