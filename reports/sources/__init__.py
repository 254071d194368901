"""What a report is made from.

sources.py   folders opened, checked, sorted by kind
samples.py   texts of a few documents
"""
