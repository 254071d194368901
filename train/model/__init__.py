"""The network and what changes it.

loss.py        cross-entropy over a large vocabulary
gpt.py         one GPT in two architectures
muon.py        Muon
optimizer.py   AdamW, or Muon and AdamW; the learning rate of each step
"""
