"""A run measured, before anything is weighed.

law_validity.py    whether the laws of repeated tokens hold for a run of its size
data_mismatch.py   whether the data that was named can be the run's
expected_loss.py   the loss to expect of its size and tokens
run_analysis.py    the fit, forecast, slope, gap and budget of one run
"""
