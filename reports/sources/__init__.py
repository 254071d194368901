"""What a report is made from.

sources.py   folders opened, checked, told apart
samples.py   texts of a few documents
"""
