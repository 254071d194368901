"""What people read on a terminal: numbers, untrusted text made safe, columns, progress on stderr.

numbers.py    counts, shares and times in words
text.py       untrusted text made visible, lines broken, columns aligned, JSON for stdout
layout.py     labels and tables that wrap to any width
progress.py   lines on stderr, and how far long work is
notebook.py   results as a notebook shows them
"""
