"""Look through finished bins for what a split must not have; from the bins alone.

check_bins.py   validation documents that stand in train
"""
