"""Arms that differ in one thing, trained and judged.

arms.py           what an arm is
design.py         what is declared before
gates.py          what must hold
plan.py           what is going to be done
run_executor.py   train and score the runs, one after the other
worker.py         a process that does so on one device
worker_pool.py    several of them
wording.py        the verdict in words
judge.py          from losses to verdicts
summary.py        what `verdict.json` holds
recipe.py         a comparison recognised where it is finished
compare.py        all of it
"""
