"""Saved models on the same held-out documents: ours, and nanoGPT's."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from assay.errors import UsageError
from assay.formats.bins import Bins, as_bins, as_bins_list
from assay.formats.run import MAX_HELD_OUT, open_run
from assay.laws.ratio_estimator import ratio_variance
from assay.laws.student_t import quantile
from assay.options import to_count
from assay.paths import AnyPath, AnyPaths, to_paths
from assay.storage.manifest import MANIFEST
from assay.terminal.notebook import draw_result
from assay.train.run.environment import refuse_torchrun, require_torch

if TYPE_CHECKING:
    import torch

    from assay.train.run.evaluate import HeldOut

_BATCH = 32  # windows scored at once


class DocumentScore(msgspec.Struct, frozen=True):
    """One document: its place in the table of the held-out bins, and the sum of its loss."""

    document: int
    nats: float
    tokens: int
    bytes: int
    leaked: bool


class CheckpointScore(msgspec.Struct, frozen=True):
    """A checkpoint on the held-out documents.

    Means are over the documents that did not leak, `leaked_loss_nats` over those that did; None
    where there are none.
    """

    checkpoint: str
    arch: str
    parameters: int
    block_size: int
    loss_nats: float | None
    bits_per_byte: float | None
    leaked_loss_nats: float | None
    documents: list[DocumentScore]


@dataclass(frozen=True, slots=True)
class ScoreDifference:
    """A checkpoint minus the first, nats a token, below 0 is better.

    `interval` holds at 95% over documents, which are paired; None with one document. It knows
    nothing of seeds: that takes `assay compare`.
    """

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class CheckpointScores:
    """Checkpoints scored on the val documents of the bins in `folder`."""

    folder: Path
    checkpoints: tuple[CheckpointScore, ...]

    def subtract_first(self, place: int) -> ScoreDifference | None:
        """Return the difference of a checkpoint to the first; None where nothing was scored."""
        first, other = self.checkpoints[0], self.checkpoints[place]
        pairs = zip(first.documents, other.documents, strict=True)
        clean = [(b.nats - a.nats, a.tokens) for a, b in pairs if not a.leaked]
        change_J, tokens_J = np.array(clean, np.float64).reshape(-1, 2).T
        if not change_J.size:
            return None
        mean = float(change_J.sum() / tokens_J.sum())
        if change_J.size < 2:
            return ScoreDifference(mean, None)
        error = math.sqrt(ratio_variance(change_J, tokens_J))
        reach = quantile(0.975, change_J.size - 1) * error
        return ScoreDifference(mean, (mean - reach, mean + reach))

    def __str__(self) -> str:
        shown = ", ".join(f"{each.checkpoint} {_show(each)}" for each in self.checkpoints)
        return f"scores on {self.folder}, nats/token: {shown}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [(each.checkpoint, f"{_show(each)} nats/token") for each in self.checkpoints]
        return draw_result(f"scores on {self.folder}", rows)


def score_checkpoints(
    checkpoints: AnyPaths,
    held_out: AnyPath | Bins,
    *,
    held_out_documents: int = MAX_HELD_OUT,
    trained_on: AnyPath | Bins | Iterable[AnyPath | Bins] = (),
    device: str = "auto",
) -> CheckpointScores:
    """Score checkpoints on the same held-out documents, each document alone from its start.

    Weights are used in float32, in windows of each model's own block. Costs a forward pass over
    the documents a checkpoint.

    Args:
        checkpoints: Runs, checkpoints in them, or nanoGPT's `ckpt.pt`; one or many.
        held_out: Bins whose val documents are scored.
        held_out_documents: Score at most this many.
        trained_on: Bins of a checkpoint, one or many: documents in them are scored apart.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        UsageError: A path is wrong, a run is of another tokenizer, a vocabulary is smaller than
            the ids, or there is nothing to score.
        InputError: A checkpoint cannot be read.
    """
    refuse_torchrun("score")
    require_torch()
    from assay.train.runtime.device import choose_device

    limit = to_count(held_out_documents, "held_out_documents") or MAX_HELD_OUT
    place, paths, bins = choose_device(device), to_paths(checkpoints), as_bins(held_out)
    if not paths:
        raise UsageError("checkpoints must be one path or more, got none", "checkpoints")
    _check_same_tokenizer(paths, bins)
    documents = _load_documents(bins, limit, as_bins_list(trained_on))
    scores = [_score_one(path, documents, place) for path in paths]
    return CheckpointScores(bins.folder, tuple(scores))


def _load_documents(bins: Bins, limit: int, trained_on: Sequence[Bins]) -> "HeldOut":
    """Load the documents to score; those that stand in `trained_on` are marked as leaked."""
    from assay.train.run.evaluate import find_leaked, load_held_out

    bins.check()
    documents = load_held_out(bins, max_documents=limit)
    if not len(documents):
        raise UsageError(f"{bins.folder} has no val documents; name bins that have")
    leaked_J = np.zeros(len(documents), np.bool_)
    for each in trained_on:
        leaked_J |= find_leaked(each, documents)
    return documents.mark_leaked(leaked_J)


def _score_one(path: Path, documents: "HeldOut", device: "torch.device") -> CheckpointScore:
    from assay.train.checkpoints.load_model import load_model
    from assay.train.run.evaluate import score_documents

    model = load_model(path, device)
    largest = max(int(documents.ids.max()), documents.end_of_text)
    if (rows := model.wte.weight.shape[0]) <= largest:
        raise UsageError(
            f"{path} has embeddings of {rows:,} ids, the held-out documents have id {largest:,}; "
            "they were made with another tokenizer"
        )
    scores = score_documents(model, documents, device, _BATCH)
    return CheckpointScore(
        checkpoint=str(path),
        arch=model.config.arch,
        parameters=model.num_parameters,
        block_size=model.config.block_size,
        loss_nats=scores.loss_nats,
        bits_per_byte=scores.bits_per_byte,
        leaked_loss_nats=scores.mean_nats(scores.leaked_J),
        documents=[DocumentScore(*row) for row in scores.to_table().iter_rows()],
    )


def _check_same_tokenizer(paths: Sequence[Path], bins: Bins) -> None:
    """Refuse runs of ours that were trained on another tokenizer's ids; UsageError.

    Of nanoGPT's checkpoints nothing is known but the number of ids.
    """
    needed = bins.fingerprint
    for path in paths:
        if (path / MANIFEST).is_file():
            found = str((open_run(path).manifest.tokenizer or {}).get("fingerprint", needed))
            if found != needed:
                raise UsageError(
                    f"{path} was trained on tokenizer {found[:12]}, {bins.folder} has "
                    f"{needed[:12]}; their losses cannot be compared"
                )


def _show(score: CheckpointScore) -> str:
    return "-" if score.loss_nats is None else f"{score.loss_nats:.4f}"
