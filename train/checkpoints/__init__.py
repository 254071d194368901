"""Models on the disk, and how runs start from them.

nanogpt_checkpoint.py   nanoGPT's `ckpt.pt`, read without running it, and written
checkpoint.py           our own: weights, moments, `state.json`
load_model.py           a saved model, whichever program wrote it
initial_weights.py      weights that a run starts from
resume.py               how a run continues, and with which settings
"""
