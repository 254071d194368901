"""A checkpoint branched: schedule, or data?

branch_point.py     the checkpoint to branch from, and where it stands
plan.py             what a probe does, and on which documents
effects.py          contrasts of branches
decision_table.py   which effects name which cause
outcome.py          from losses to effects and causes
recipe.py           what makes a probe: to seal it, and to recognise a finished one
branches.py         train the branches, score them, seal
probe.py            `probe_checkpoint`
"""
