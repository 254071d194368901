"""The shape of the code, read from its syntax trees alone: nothing of the product is imported.

    python -m tests.structure            from the root: prints the tables, and what breaks a rule

tree.py        the product's files, parsed
imports.py     which file imports which, and how
order.py       circles, rooms that import each other, packages that import a later one; figures
structs.py     structs that are declared twice
bodies.py      functions that are written twice
formulas.py    formulas that are written twice
twice.py       the three together, less the exceptions with reasons in `exceptions.toml`
statements.py  statements, lengths, docstrings and annotations by room
goals.py       the figures held against `limits.toml`

`test_this_tree.py` applies all of them to this tree; the other tests apply each to small trees
that break its rule.
"""
