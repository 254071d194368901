"""A checkpoint branched: schedule, or data?

branch_point.py     the checkpoint to branch from
plan.py             what a probe does
effects.py          contrasts of branches
decision_table.py   which effects name which cause
outcome.py          from losses to the table
recipe.py           a probe recognised where it is finished
probe.py            all of it
"""
