"""The network and what changes it.

loss.py        cross-entropy over a large vocabulary
tiled_loss.py  the same, a tile of rows at a time
gpt.py         one GPT in two architectures
muon.py        Muon
optimizer.py   AdamW, or Muon and AdamW; the learning rate of each step
"""
