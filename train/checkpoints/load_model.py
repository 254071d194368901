"""A saved model, whichever program wrote it."""

from pathlib import Path

import safetensors.torch
import torch

from assay.errors import InputError, UsageError
from assay.formats.run import MODEL, STATE, open_run
from assay.storage.manifest import MANIFEST
from assay.train.checkpoints.checkpoint import (
    read_state,
    refuse_unreadable,
    suggest_checkpoint,
)
from assay.train.checkpoints.nanogpt_checkpoint import read_nanogpt
from assay.train.model.gpt import GPT


def load_model(path: Path, device: torch.device) -> GPT:
    """Load a run folder, a checkpoint folder inside one, or a `ckpt.pt` of nanoGPT's.

    Weights are used in float32, so that two machines give the same figures.

    Raises:
        UsageError: There is nothing at `path`.
        InputError: It is none of the three, unfinished, or altered.
    """
    if path.is_file():
        return read_nanogpt(path).make_model().to(device)
    if not path.is_dir():
        raise UsageError(f"no checkpoint at {path}; name a run's folder, or nanoGPT's ckpt.pt")
    if (path / MANIFEST).exists():
        config = open_run(path).config
    elif (path / STATE).exists():
        config = read_state(path).config
    else:
        raise InputError(
            suggest_checkpoint(path)
            or f"{path} has neither {MANIFEST} nor {STATE}; name a run or a checkpoint"
        )
    with refuse_unreadable(f"{path / MODEL} cannot be read"):
        weights = safetensors.torch.load_file(path / MODEL)
        model = GPT(config, weights["wte.weight"].shape[0], torch.float32, pad=False)
        model.load_state_dict(weights)
    return model.to(device)
