"""One run, from what it is asked for to its sealed folder; and saved models scored.

environment.py   torch or not, and torchrun's other processes
recipe.py        a run to train, and what makes it: to seal it, and to recognise a finished one
train.py         `train_on`: settings put together, then either opened or trained
launch.py        set a run up, in one process or in several, and carry it out
trainer.py       the loop, checkpoints, lines of progress
step.py          one step: forward, backward, clip, update
divergence.py    a loss that is no longer finite: the step, and its documents
evaluate.py      held-out documents: loaded, looked for in training data, scored
metrics.py       `metrics.jsonl`, and the loggers wandb, tensorboard, trackio
finish.py        score, write weights, seal
executor.py      several runs with models compiled once, for comparisons and probes
score.py         `score_checkpoints`: saved models on the same held-out documents
"""
