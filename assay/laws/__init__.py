"""What the field has measured: laws of loss, and the arithmetic of a run.

scaling.py          parameters, repeated tokens, what memorising can part
anchors.py          the loss and the learning rate to expect of a small GPT
nanogpt_config.py   nanoGPT's config files, parsed and never run
plans.py            what a run is meant to be: size, batch, steps, schedule
lr_schedule.py      warmup, wsd, cosine, linear, constant
ratio_estimator.py  the variance of a total over a total
student_t.py        Student's t
budgets.py          a plan beside the unique tokens there are
"""
