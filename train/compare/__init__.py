"""Arms that differ in one thing, trained and judged.

arms.py           what an arm is: data, or settings that vary
design.py         what is declared before: seeds, looks, margins
validity.py       what must hold for a comparison to be valid
plan.py           what is going to be done, and on which documents
worker.py         a process that trains runs on one device
worker_pool.py    several of them
judge.py          from losses to verdicts
wording.py        verdicts and notes in words
summary.py        what `verdict.json` holds
recipe.py         what makes a comparison: to seal it, and to recognise a finished one
looks.py          train and judge, look by look, and seal
compare.py        `compare_bins`: arms and design put together, then either opened or trained
"""
