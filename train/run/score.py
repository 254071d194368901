"""Saved models on the same held-out documents: ours, and nanoGPT's."""

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.run import open_run
from assay.laws.ratio_estimator import ratio_variance
from assay.laws.student_t import quantile
from assay.storage.manifest import MANIFEST
from assay.terminal.numbers import count
from assay.terminal.text import align, show_line
from assay.train.checkpoints.load_model import load_model
from assay.train.model.gpt import GPT
from assay.train.run.evaluate import HeldOut, Scores, find_leaked, load_held_out, score_documents

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


def score_checkpoints(
    paths: Sequence[Path], held_out: HeldOut, device: torch.device
) -> list[CheckpointScore]:
    """Score each checkpoint on the same documents, each document alone from its start.

    Raises:
        UsageError: A vocabulary is smaller than the ids, or there is nothing to score.
    """
    if not held_out.start_J.size:
        raise UsageError("no held-out documents; name bins that have val documents")
    largest = max(int(held_out.ids.max()), held_out.end_of_text)
    scored = []
    for path in paths:
        model = load_model(path, device)
        if (rows := model.wte.weight.shape[0]) <= largest:
            raise UsageError(
                f"{path} knows {rows:,} ids, the held-out documents have id {largest:,}; they "
                "were made with another tokenizer"
            )
        scored.append(_summarise(path, model, score_documents(model, held_out, device, _BATCH)))
    return scored


def load_documents(bins: Bins, most: int, trained_on: Sequence[Bins] = ()) -> HeldOut:
    """Load the documents to score; those that stand in `trained_on` are marked as leaked."""
    bins.check()
    documents = load_held_out(bins, most=most)
    leaked_J = np.zeros(documents.start_J.size, np.bool_)
    for each in trained_on:
        leaked_J |= find_leaked(each, documents)
    return documents.mark_leaked(leaked_J)


def check_same_tokenizer(paths: Sequence[Path], bins: Bins) -> None:
    """Refuse runs of ours that were trained on another tokenizer's ids.

    Of nanoGPT's checkpoints nothing is known but the number of ids.

    Raises:
        UsageError: A fingerprint differs; both are told.
    """
    assert bins.manifest.tokenizer is not None
    needed = str(bins.manifest.tokenizer["fingerprint"])
    for path in paths:
        if (path / MANIFEST).is_file():
            found = str((open_run(path).manifest.tokenizer or {}).get("fingerprint", needed))
            if found != needed:
                raise UsageError(
                    f"{path} was trained on tokenizer {found[:12]}, {bins.folder} has "
                    f"{needed[:12]}; their losses cannot be compared"
                )


def _summarise(path: Path, model: GPT, scores: Scores) -> CheckpointScore:
    return CheckpointScore(
        checkpoint=str(path),
        arch=model.config.arch,
        parameters=model.num_parameters,
        block_size=model.config.block_size,
        loss_nats=_mean(scores, ~scores.leaked_J),
        bits_per_byte=None if math.isnan(scores.bits_per_byte) else scores.bits_per_byte,
        leaked_loss_nats=_mean(scores, scores.leaked_J),
        documents=[DocumentScore(*row) for row in scores.to_table().iter_rows()],
    )


def _mean(scores: Scores, chosen_J: np.ndarray) -> float | None:
    tokens = int(scores.tokens_J[chosen_J].sum())
    return float(scores.nats_J[chosen_J].sum()) / tokens if tokens else None


def describe_scores(scored: Sequence[CheckpointScore]) -> str:
    """Lay scores out as a table; of several each with its difference to the first.

    The difference is in nats a token, with its 95% interval over documents: the same documents
    stand on both sides. It says nothing of seeds: that takes `assay compare`.
    """
    rows: list[tuple[str, ...]] = [
        ("checkpoint", "arch", "parameters", "block", "nats/token", "bits/byte", "to the first")
    ]
    for each in scored:
        rows.append(
            (
                show_line(each.checkpoint, 60),
                each.arch,
                count(each.parameters),
                count(each.block_size),
                "-" if each.loss_nats is None else f"{each.loss_nats:.4f}",
                "-" if each.bits_per_byte is None else f"{each.bits_per_byte:.4f}",
                "-" if each is scored[0] else _describe_difference(scored[0], each),
            )
        )
    if len(scored) == 1:
        rows = [row[:-1] for row in rows]
    clean = [document for document in scored[0].documents if not document.leaked]
    tokens = sum(document.tokens for document in clean)
    text = align(rows) + f"\n\n{count(len(clean))} held-out documents, {count(tokens)} tokens"
    if leaked := len(scored[0].documents) - len(clean):
        losses = ", ".join(f"{each.leaked_loss_nats:.4f}" for each in scored)
        text += f"; {count(leaked)} that leaked, apart: {losses} nats/token"
    if len(scored) > 1:
        text += "\nto the first: nats/token, with the 95% interval over documents, not over seeds"
    return text


def _describe_difference(first: CheckpointScore, other: CheckpointScore) -> str:
    """Say a paired difference, with the interval of a ratio over documents."""
    pairs = zip(first.documents, other.documents, strict=True)
    kept = [(b.nats - a.nats, a.tokens) for a, b in pairs if not a.leaked]
    change_J, tokens_J = np.array(kept, np.float64).reshape(-1, 2).T
    if not change_J.size:
        return "-"
    mean = change_J.sum() / tokens_J.sum()
    if change_J.size < 2:
        return f"{mean:+.4f}"
    error = math.sqrt(ratio_variance(change_J, tokens_J))
    reach = quantile(0.975, change_J.size - 1) * error
    return f"{mean:+.4f} ({mean - reach:+.4f} to {mean + reach:+.4f})"
