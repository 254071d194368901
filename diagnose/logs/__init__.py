"""Training logs as they are: one format a file, told by what is in them.

detect -> text formats (nanogpt, llmc, modded, nanochat) or tables (rows, trainer_state) or others'
libraries (tensorboard, wandb) -> gather -> RunLog
"""
