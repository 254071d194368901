"""What is said of a run that was weighed.

conclusions.py   plain sentences
next_steps.py    what to do, the cheapest first
result.py        `diagnosis.json`
terminal.py      the terminal's text
"""
