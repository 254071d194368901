"""One run.

evaluate.py     the loss of held-out documents
metrics.py      `metrics.jsonl` and loggers
provenance.py   on what each part of a run was computed
step.py         one step
divergence.py   where in the data a loss stopped being a number
context.py      a run as it was asked for
trainer.py      the loop, and what it writes
recipe.py       a run recognised where it is finished
train.py        train one model on one folder of bins
score.py        saved models on the same held-out documents
"""
