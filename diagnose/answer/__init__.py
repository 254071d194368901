"""What is said.

conclusions.py   plain sentences
next_steps.py    what to do, the cheapest first
summary.py       `diagnosis.json`
terminal.py      the terminal's text
"""
