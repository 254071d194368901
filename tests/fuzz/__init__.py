"""Mutated inputs: an audit never ends in a traceback, nor with a total that another reader denies.

seeds.py        small valid inputs of every kind that is read
regions.py      where the parts of a file lie: headers, pages, indexes, lines, footers
mutations.py    one change to one part, drawn from a seed
independent.py  documents and tokens of a file, by other libraries or a few lines of our own
worker.py       a process that carries out commands, with bounds on memory and time
"""
