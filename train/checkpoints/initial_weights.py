"""Weights that a run starts from, where they are not drawn."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assay.errors import UsageError
from assay.formats.run import MODEL
from assay.formats.train_config import SHAPE_SETTINGS
from assay.storage.fingerprint import hash_file
from assay.train.checkpoints.checkpoint import restore_moments
from assay.train.checkpoints.load_model import load_model
from assay.train.model.gpt import GPT
from assay.train.model.optimizer import Optimizer


@dataclass(frozen=True, slots=True)
class InitialWeights:
    """The weights of a checkpoint, and the sha256 of what they come from.

    `moments` are what the optimizer continues with; None: it starts without any.
    """

    path: Path
    sha256: str
    shape: dict[str, Any]
    weights: dict[str, Tensor]
    moments: dict[str, dict[str, Tensor]] | None = None

    def check_vocab_rows(self, vocab_size: int) -> int:
        """Return how many ids the checkpoint has embeddings for: the rows of a model it starts.

        Raises:
            UsageError: They are too few for the data, or so many that they are of other ids.
        """
        rows, padded = len(self.weights["wte.weight"]), -(-vocab_size // 64) * 64
        if not vocab_size <= rows <= padded:
            raise UsageError(
                f"{self.path} has embeddings of {rows:,} ids, these bins have {vocab_size:,}; "
                f"needed is a checkpoint with as many, or padded to {padded:,}"
            )
        return rows

    def load_into(self, model: GPT, optimizer: Optimizer | None = None) -> None:
        """Put the weights in place of those that were drawn; and the moments, for an optimizer.

        Raises:
            UsageError: The model is of another shape, the message has both; or the moments are
                another optimizer's, or a weight has none.
        """
        for name, weight in model.state_dict().items():
            found = self.weights.get(name)
            if found is None or found.shape != weight.shape:
                shape = "none" if found is None else tuple(found.shape)
                raise UsageError(
                    f"{self.path}: weight {name} has shape {shape}, the run needs "
                    f"{tuple(weight.shape)}; leave the settings of the shape to the checkpoint"
                )
            with torch.no_grad():
                weight.copy_(found)
        try:
            if optimizer is not None and self.moments is not None:
                restore_moments(model, optimizer, self.moments)
        except (KeyError, IndexError) as error:
            raise UsageError(
                f"{self.path}: the moments kept there are not this optimizer's ({error}); leave "
                "the optimizer to the checkpoint"
            ) from error


def read_initial_weights(path: Path) -> InitialWeights:
    """Read a run's folder, a checkpoint in one, or nanoGPT's `ckpt.pt`; errors as `load_model`."""
    model = load_model(path, torch.device("cpu"))
    sha256 = hash_file(path if path.is_file() else path / MODEL)
    shape = {name: getattr(model.config, name) for name in SHAPE_SETTINGS}
    return InitialWeights(path, sha256, shape, model.state_dict())
