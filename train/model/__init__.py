"""The network and what changes its weights.

loss.py        cross-entropy of a head over a large vocabulary; softcap
gpt.py         one GPT in two architectures: modern, and nanogpt, which is GPT-2's
muon.py        Muon
optimizer.py   AdamW, or Muon and AdamW
"""
