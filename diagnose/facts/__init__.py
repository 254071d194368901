"""All that is known of a run before anything is concluded.

data_facts.py           its data, from an audit, from bins or from a number
assay_run.py            what a run of assay's says of itself
nanogpt_checkpoint.py   a nanoGPT checkpoint's own settings
data_mismatch.py        whether the data handed over can be the run's
law_validity.py         how far the laws of repeated tokens reach
case.py                 all of it, measured
"""
