"""What a run is said to be, beside its log.

data_facts.py           its data: an audit, bins, or a number of unique tokens
assay_run.py            a run of assay's own: its settings, and what it lost on each document
nanogpt_checkpoint.py   the settings in a nanoGPT checkpoint
run_inputs.py           which of these a run has
"""
