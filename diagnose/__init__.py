"""Say why a loss is flat, from the log and whatever else there is; by evidence, not by opinion.

logs         what the log says: steps, losses, learning rates
curve        laws fitted to the losses, a forecast, the last window against a healthy run's
inputs       what is known beside the log: settings, data
analysis     one run, measured
hypotheses   what may hold its loss, weighed
answer       what is said: sentences, next steps, JSON, text
run.py       all of it in this order
recipe.py    the folder that keeps it
command.py   `assay diagnose`
"""

PACKAGES = ("logs", "curve", "inputs", "analysis", "hypotheses", "answer")
