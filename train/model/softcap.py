"""A soft bound on logits: z becomes c tanh(z / c).

Source: Gemma Team, "Gemma 2: improving open language models at a practical size" (2024); with a
bound of 15 in modded-nanogpt and nanochat. 0 stands for none.
"""

import torch
from torch import Tensor


def soften(logits: Tensor, softcap: float) -> Tensor:
    """Return the logits within (-softcap, softcap); the same tensor where there is no bound."""
    return softcap * torch.tanh(logits / softcap) if softcap else logits


def soften_in_place(logits: Tensor, softcap: float) -> Tensor:
    """Do the same in the logits' own memory."""
    return logits.div_(softcap).tanh_().mul_(softcap) if softcap else logits


def slope_of(softened: Tensor, softcap: float) -> Tensor:
    """Return how much a softened logit moves with the logit: 1 - tanh^2; `softcap` is not 0."""
    return 1.0 - (softened / softcap).square()
