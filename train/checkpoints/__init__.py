"""Models on the disk.

nanogpt_checkpoint.py   nanoGPT's `ckpt.pt`, read without running it
checkpoint.py           our own: weights, moments, state
load_model.py           a saved model, whichever program wrote it
initial_weights.py      weights that a run begins with
resume.py               how a run goes on
retention.py            what the folder of a finished run keeps
"""
