"""A plain training loop in nanoGPT's manner, for ours to be timed against.

Written for this benchmark: GPT-2's model, torch.compile as it comes, autocast to bfloat16, fused
AdamW, gradients of small micro-batches added up, batches from pinned memory, dropout in all
places where nanoGPT has it. Nothing in it waits for the device.
"""

# B = windows, T = positions, D = width, V = vocabulary

import math
from contextlib import AbstractContextManager

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH, LAYERS, HEADS, BLOCK, VOCABULARY = 384, 12, 12, 1024, 50_304


class PlainBlock(nn.Module):
    """Attention and a perceptron, with LayerNorm before each and dropout after."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm_1, self.norm_2 = (nn.LayerNorm(width, bias=False) for _ in range(2))
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)
        self.drop = nn.Dropout(dropout)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Apply the block."""
        B, T, D = x_BTD.shape
        query, key, value = (
            part.view(B, T, self.heads, D // self.heads).transpose(1, 2)
            for part in self.qkv(self.norm_1(x_BTD)).split(D, dim=2)
        )
        rate = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=rate, is_causal=True)
        mixed_BTD = mixed.transpose(1, 2).contiguous().view(B, T, D)
        x_BTD = x_BTD + self.drop(self.out(mixed_BTD))
        wide = F.gelu(self.up(self.norm_2(x_BTD)))
        return x_BTD + self.drop(self.down(wide))


class PlainGPT(nn.Module):
    """GPT-2 with learned positions; the head is the embedding."""

    def __init__(self, layers: int, width: int, heads: int, block: int, dropout: float) -> None:
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, width)
        self.positions = nn.Embedding(block, width)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(PlainBlock(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, VOCABULARY, bias=False)
        self.head.weight = self.tokens.weight

    @torch.no_grad()
    def reset(self, seed: int) -> None:
        """Draw all weights anew, as GPT-2 does, in place."""
        torch.manual_seed(seed)
        small = 0.02 / math.sqrt(2 * len(self.blocks))
        for name, weight in self.named_parameters():
            if weight.dim() < 2:
                weight.fill_(1.0)
            else:
                weight.normal_(0.0, small if name.endswith(("out.weight", "down.weight")) else 0.02)

    def forward(self, ids_BT: Tensor, target_BT: Tensor) -> Tensor:
        """Return the mean loss."""
        place_T = torch.arange(ids_BT.shape[1], device=ids_BT.device)
        x_BTD = self.drop(self.tokens(ids_BT) + self.positions(place_T))
        for block in self.blocks:
            x_BTD = block(x_BTD)
        logits_BTV = self.head(self.norm(x_BTD))
        return F.cross_entropy(logits_BTV.view(-1, VOCABULARY), target_BT.reshape(-1))


class PlainLoop:
    """The loop: `take` makes one step of `accumulate` micro-batches of `batch` windows."""

    def __init__(
        self,
        ids_N: np.ndarray,
        device: torch.device,
        *,
        layers: int = LAYERS,
        width: int = WIDTH,
        batch: int = 16,
        accumulate: int = 32,
        block: int = BLOCK,
        compiled: bool = True,
    ) -> None:
        self.ids_N, self.device = ids_N, device
        self.batch, self.accumulate, self.block = batch, accumulate, block
        self.model = PlainGPT(layers, width, HEADS, block, 0.1).to(device)
        self.forward = torch.compile(self.model) if compiled else self.model
        torch.set_float32_matmul_precision("high")
        self.begin(seed=1337)

    def begin(self, seed: int) -> None:
        """Begin a run: new weights in place, new moments, the windows of that seed."""
        self.model.reset(seed)
        self.model.train()
        weights = list(self.model.parameters())
        groups = [
            {"params": [w for w in weights if w.dim() >= 2], "weight_decay": 0.1},
            {"params": [w for w in weights if w.dim() < 2], "weight_decay": 0.0},
        ]
        fused = self.device.type == "cuda"
        self.optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), fused=fused)
        self.draws = np.random.default_rng(seed)
        self.next = self._draw()

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context of forward passes."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def take(self, step: int, rate: float) -> None:
        """Take a step; `loss` of its last micro-batch stays on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for _ in range(self.accumulate):
            ids_BT, target_BT = self.next
            with self.autocast():
                self.loss = self.forward(ids_BT, target_BT) / self.accumulate
            self.next = self._draw()  # while the device is at work
            self.loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def _draw(self) -> tuple[Tensor, Tensor]:
        start_B = self.draws.integers(self.ids_N.size - self.block, size=self.batch)
        index_BT = start_B[:, None] + np.arange(self.block + 1)
        window_BT = torch.from_numpy(self.ids_N[index_BT].astype(np.int64))
        if self.device.type == "cuda":
            window_BT = window_BT.pin_memory()
        window_BT = window_BT.to(self.device, non_blocking=True)
        return window_BT[:, :-1].contiguous(), window_BT[:, 1:].contiguous()
