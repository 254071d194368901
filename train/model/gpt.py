"""One GPT, in two architectures: `modern`, and `nanogpt`, which is GPT-2's.

Weights are float32 and are cast to the dtype of the activations where they are used; there is
no autocast. The head is the embedding.

`modern` may have three things more, none of them by default: a bound on the logits (loss.py), value
embeddings and residual scalars. The last two are what nanochat has (Andrej Karpathy, 2026,
nanochat/gpt.py at 92d63d4), which took them from modded-nanogpt and from "Value residual learning"
(Zhou and others, 2024). A value embedding is one more table of ids, in every other block up to the
last; a head adds it to its values, times 3 sigmoid of 12 channels of what the block reads. The
scalars: before block i the stream becomes a_i x + b_i x0, x0 being the embedding.
"""

# B = windows, T = positions, D = width, H = heads, W = width of a head, V = vocabulary, M = B * T

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.formats.train_config import TrainConfig
from assay.train.model.loss import mean_cross_entropy, score_rows

_INIT_STD = 0.02
_GATE_CHANNELS = 12
_MAX_GATE = 3.0
# Initial factors of the first and the last block; between them a line.
_INIT_SCALARS = {"stream_scalars": (1.15, 1.05), "first_scalars": (0.20, 0.05)}


class Linear(nn.Linear):
    """A linear layer whose weights follow the dtype of its input."""

    def forward(self, input: Tensor) -> Tensor:
        """Multiply, in the dtype of `input`."""
        bias = None if self.bias is None else self.bias.to(input.dtype)
        return F.linear(input, self.weight.to(input.dtype), bias)


class Norm(nn.Module):
    """LayerNorm with a gain (nanogpt), or RMSNorm without one (modern)."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.shape = (config.n_embd,)
        self.layer_norm = config.arch == "nanogpt"
        if self.layer_norm:
            self.weight = nn.Parameter(torch.ones(config.n_embd))
            self.bias = nn.Parameter(torch.zeros(config.n_embd)) if config.bias else None

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Normalise the last axis."""
        if not self.layer_norm:
            return F.rms_norm(x_BTD, self.shape)
        bias = None if self.bias is None else self.bias.to(x_BTD.dtype)
        return F.layer_norm(x_BTD, self.shape, self.weight.to(x_BTD.dtype), bias)


class Attention(nn.Module):
    """Causal self-attention; modern rotates queries and keys and normalises them.

    `gated` makes the gate of a value embedding.
    """

    def __init__(self, config: TrainConfig, gated: bool = False) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.dropout = config.dropout
        self.c_attn = Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)
        self.c_proj = Linear(config.n_embd, config.n_embd, bias=config.bias)
        if gated:
            channels = min(_GATE_CHANNELS, config.n_embd)
            self.value_gate = Linear(channels, config.n_head, bias=False)

    def forward(
        self, x_BTD: Tensor, rotary: tuple[Tensor, Tensor] | None, value_BTD: Tensor | None = None
    ) -> Tensor:
        """Mix positions; `rotary` are the cosines and sines of RoPE, or None.

        `value_BTD` is a value embedding, or None.
        """
        B, T, D = x_BTD.shape
        query, key, value = self.c_attn(x_BTD).view(B, T, 3, self.n_head, -1).unbind(2)
        if value_BTD is not None:
            gate_BTH = self.value_gate(x_BTD[..., : self.value_gate.in_features])
            gate_BTH1 = _MAX_GATE * torch.sigmoid(gate_BTH)[..., None]
            value = value + gate_BTH1 * value_BTD.view(B, T, self.n_head, -1)
        if rotary is not None:
            width = (D // self.n_head,)
            query = apply_rotary(F.rms_norm(query, width), *rotary)
            key = apply_rotary(F.rms_norm(key, width), *rotary)
        mixed_BHTD = F.scaled_dot_product_attention(
            query.transpose(1, 2),
            key.transpose(1, 2),
            value.transpose(1, 2),
            is_causal=True,
            dropout_p=self.dropout if self.training else 0.0,
        )
        out: Tensor = self.c_proj(mixed_BHTD.transpose(1, 2).reshape(B, T, D))
        return F.dropout(out, self.dropout, self.training)


class Block(nn.Module):
    """Attention, then a perceptron four times as wide; each adds to its input."""

    def __init__(self, config: TrainConfig, layer: int) -> None:
        super().__init__()
        self.modern = config.arch == "modern"
        self.dropout = config.dropout
        self.ln_1 = Norm(config)
        self.attn = Attention(config, gated=has_value_embedding(config, layer))
        self.ln_2 = Norm(config)
        self.c_fc = Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
        self.c_proj = Linear(4 * config.n_embd, config.n_embd, bias=config.bias)

    def forward(
        self, x_BTD: Tensor, rotary: tuple[Tensor, Tensor] | None, value_BTD: Tensor | None = None
    ) -> Tensor:
        """Apply the block."""
        x_BTD = x_BTD + self.attn(self.ln_1(x_BTD), rotary, value_BTD)
        wide = self.c_fc(self.ln_2(x_BTD))
        wide = F.relu(wide).square() if self.modern else F.gelu(wide)
        return x_BTD + F.dropout(self.c_proj(wide), self.dropout, self.training)


class GPT(nn.Module):
    """A decoder that predicts the next id; its vocabulary is padded to a multiple of 64.

    `pad` false leaves the vocabulary as it is, for weights that come from elsewhere.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(
        self, config: TrainConfig, vocab_size: int, dtype: torch.dtype, *, pad: bool = True
    ) -> None:
        super().__init__()
        self.config = config
        self.dtype = dtype
        self.head = "plain"  # how `forward` computes its loss: see loss.py
        rows = -(-vocab_size // 64) * 64 if pad else vocab_size
        self.wte = nn.Embedding(rows, config.n_embd)
        if config.arch == "nanogpt":
            self.wpe = nn.Embedding(config.block_size, config.n_embd)
        else:
            cosine, sine = make_rotary(config.block_size, config.n_embd // config.n_head)
            self.register_buffer("cosine", cosine, persistent=False)
            self.register_buffer("sine", sine, persistent=False)
        self.h = nn.ModuleList(Block(config, layer) for layer in range(config.n_layer))
        self.ln_f = Norm(config)
        # After all else, so that a seed draws the other weights as it does without them.
        self.value_embeds = nn.ModuleDict(
            {
                str(layer): nn.Embedding(rows, config.n_embd)
                for layer in range(config.n_layer)
                if has_value_embedding(config, layer)
            }
        )
        if config.residual_scalars:
            self.stream_scalars = nn.Parameter(torch.ones(config.n_layer))
            self.first_scalars = nn.Parameter(torch.zeros(config.n_layer))

    @property
    def num_parameters(self) -> int:
        """Parameters as nanoGPT counts them: learned positions left out."""
        positions = self.wpe.weight.numel() if self.config.arch == "nanogpt" else 0
        return sum(p.numel() for p in self.parameters()) - positions

    @torch.no_grad()
    def init_weights(self, seed: int) -> None:
        """Draw all weights from a seed, in place; the same on every device.

        Projections into the residual stream start at 0 (modern), or smaller by sqrt(2 n_layer).
        """
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if name in _INIT_SCALARS:
                weight.copy_(torch.linspace(*_INIT_SCALARS[name], weight.numel()))
            elif weight.dim() < 2:
                weight.fill_(1.0 if name.endswith("weight") else 0.0)
            elif name.endswith("value_gate.weight"):
                weight.zero_()  # a factor of 1.5; nothing is drawn, see above
            else:
                drawn = torch.randn(weight.shape, generator=generator)
                weight.copy_(drawn * self._init_std(name))

    def _init_std(self, name: str) -> float:
        """Return the standard deviation of a matrix's initial values."""
        projection = name.endswith("c_proj.weight")
        if self.config.arch == "nanogpt":
            return _INIT_STD / math.sqrt(2 * self.config.n_layer) if projection else _INIT_STD
        if name == "wte.weight":
            return _INIT_STD
        return 0.0 if projection else self.config.n_embd**-0.5

    def hidden(self, ids_BT: Tensor) -> Tensor:
        """Return what the head reads: shape (B, T, D), in the dtype of the activations."""
        # Asked so that code compiled for other kernels is not taken: torch guards what is read.
        assert self.config.attention in ("auto", "cudnn", "flash")
        T = ids_BT.shape[1]
        x_BTD = F.embedding(ids_BT, self.wte.weight).to(self.dtype)
        if self.config.arch == "nanogpt":
            x_BTD = x_BTD + self.wpe.weight[:T].to(self.dtype)
            x_BTD, rotary = F.dropout(x_BTD, self.config.dropout, self.training), None
        else:
            x_BTD = F.rms_norm(x_BTD, (x_BTD.shape[-1],))
            rotary = self.cosine[:T].to(self.dtype), self.sine[:T].to(self.dtype)
        first_BTD = x_BTD
        for layer, block in enumerate(self.h):
            if self.config.residual_scalars:
                stream, first = self.stream_scalars[layer], self.first_scalars[layer]
                x_BTD = stream * x_BTD + first * first_BTD
            x_BTD = block(x_BTD, rotary, self._embed_value(layer, ids_BT))
        out: Tensor = self.ln_f(x_BTD)
        return out

    def _embed_value(self, layer: int, ids_BT: Tensor) -> Tensor | None:
        """Return the value embedding of a block: (B, T, D); None where it has none."""
        if str(layer) not in self.value_embeds:
            return None
        table = self.value_embeds[str(layer)]
        assert isinstance(table, nn.Embedding)
        return F.embedding(ids_BT, table.weight).to(self.dtype)

    def forward(self, ids_BT: Tensor, target_BT: Tensor) -> Tensor:
        """Return the mean loss in nats a token."""
        hidden_MD, target_M = self.hidden(ids_BT).flatten(0, 1), target_BT.flatten()
        return mean_cross_entropy(
            hidden_MD, self.wte.weight, target_M, self.head, self.config.softcap
        )

    @torch.no_grad()
    def score(self, ids_BT: Tensor, target_BT: Tensor) -> Tensor:
        """Return the loss of each target in nats: float32, (B, T), 0 where it is IGNORED."""
        hidden_MD = self.hidden(ids_BT).flatten(0, 1)
        loss_M = score_rows(hidden_MD, self.wte.weight, target_BT.flatten(), self.config.softcap)
        return loss_M.view(ids_BT.shape)


def has_value_embedding(config: TrainConfig, layer: int) -> bool:
    """Tell whether a block has a value embedding: every other one, the last among them."""
    return config.value_embeds and (config.n_layer - 1 - layer) % 2 == 0


def make_rotary(length: int, width: int) -> tuple[Tensor, Tensor]:
    """Make the cosines and sines of RoPE, base 10,000: float32, shape (T, 1, width / 2) each."""
    frequency = 10_000.0 ** (-torch.arange(0, width, 2, dtype=torch.float32) / width)
    angle = torch.outer(torch.arange(length, dtype=torch.float32), frequency)[:, None, :]
    return angle.cos(), angle.sin()


def apply_rotary(x_BTHW: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn the two halves of each head against each other by an angle that grows with T."""
    left, right = x_BTHW.chunk(2, -1)
    return torch.cat((left * cosine + right * sine, right * cosine - left * sine), -1)
