"""Held-out documents: which are scored, which leaked, and the loss of each, alone.

A document is read from its start, after an end-of-text id, so that its first id is predicted
too; the end-of-text id after it is not. A document longer than the block is read in consecutive
windows, each without the ones before it.
"""

# J = documents, K = windows, B = windows in a batch, T = positions

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import torch
import xxhash

from assay.corpus.bin_file import find_documents
from assay.errors import AssayError
from assay.formats.bins import Bins
from assay.train.model.gpt import GPT
from assay.train.model.loss import IGNORE_INDEX


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Documents to score: ids of a bin and where each document lies, end-of-text left out.

    `document_J` are their rows in the table of the bins, `leaked_J` marks those that a model was
    trained on.
    """

    ids: np.ndarray
    start_J: np.ndarray
    end_J: np.ndarray
    bytes_J: np.ndarray
    document_J: np.ndarray
    leaked_J: np.ndarray
    content_hashes: list[bytes]
    end_of_text: int

    @property
    def tokens_J(self) -> np.ndarray:
        """Tokens of each document: int64."""
        tokens_J: np.ndarray = self.end_J - self.start_J
        return tokens_J

    @property
    def num_clean(self) -> int:
        """Documents not marked as leaked."""
        return int((~self.leaked_J).sum())

    def __len__(self) -> int:
        return int(self.start_J.size)

    def take(self, chosen_J: np.ndarray) -> "HeldOut":
        """Keep the documents at these places."""
        return replace(
            self,
            start_J=self.start_J[chosen_J],
            end_J=self.end_J[chosen_J],
            bytes_J=self.bytes_J[chosen_J],
            document_J=self.document_J[chosen_J],
            leaked_J=self.leaked_J[chosen_J],
            content_hashes=[self.content_hashes[j] for j in chosen_J.tolist()],
        )

    def mark_leaked(self, leaked_J: np.ndarray) -> "HeldOut":
        """Mark the documents that a model was trained on: bool, shape (J,)."""
        return replace(self, leaked_J=leaked_J)


@dataclass(frozen=True, slots=True)
class Scores:
    """Loss of each document: nats float64, tokens and bytes int64, all of shape (J,)."""

    document_J: np.ndarray
    nats_J: np.ndarray
    tokens_J: np.ndarray
    bytes_J: np.ndarray
    leaked_J: np.ndarray

    def mean_nats(self, chosen_J: np.ndarray) -> float | None:
        """Return nats a token over some of the documents; None where there are none."""
        tokens = int(self.tokens_J[chosen_J].sum())
        return float(self.nats_J[chosen_J].sum()) / tokens if tokens else None

    @property
    def loss_nats(self) -> float | None:
        """Nats a token over the documents not marked as leaked; None where there are none."""
        return self.mean_nats(~self.leaked_J)

    @property
    def bits_per_byte(self) -> float | None:
        """Bits a byte of the same documents' text; None where they have none."""
        clean_J = ~self.leaked_J
        size = int(self.bytes_J[clean_J].sum())
        return float(self.nats_J[clean_J].sum()) / size / math.log(2) if size else None

    def to_table(self) -> pl.DataFrame:
        """Return the columns of `formats.run.LOSS_COLUMNS`."""
        return pl.DataFrame(
            {
                "document": self.document_J,
                "nats": self.nats_J,
                "tokens": self.tokens_J,
                "bytes": self.bytes_J,
                "leaked": self.leaked_J,
            }
        )


def load_held_out(bins: Bins, *, max_documents: int | None = None, split: str = "val") -> HeldOut:
    """Load the val documents of a folder of bins; empty ones are left out.

    Args:
        bins: Their `val.bin` is read; a folder without one gives no documents.
        max_documents: Keep at most this many: those with the smallest hash of their ids, so that
            the choice depends on the documents alone.
        split: `train`, to score documents that were trained on. Of these the smallest content
            hashes are kept: to hash them all would read the whole bin.
    """
    listed = any(entry.name == f"{split}.bin" for entry in bins.manifest.outputs)
    ids = np.asarray(bins.map_ids(split)) if listed else np.zeros(0, np.uint16)
    table = bins.read_documents(split)
    start_J = table["start"].to_numpy().astype(np.int64)
    end_J = table["end"].to_numpy().astype(np.int64) - 1
    held_out = HeldOut(
        ids,
        start_J,
        end_J,
        table["bytes"].to_numpy().astype(np.int64),
        np.arange(table.height),
        np.zeros(table.height, np.bool_),
        table["content_hash"].to_list(),
        bins.end_of_text,
    ).take(np.flatnonzero(end_J > start_J))
    if max_documents is not None and len(held_out) > max_documents:
        hashes = (
            hash_documents(ids, held_out.start_J, held_out.end_J)
            if split == "val"
            else held_out.content_hashes
        )
        smallest = sorted(range(len(hashes)), key=hashes.__getitem__)[:max_documents]
        held_out = held_out.take(np.array(sorted(smallest)))
    return held_out


def hash_documents(ids_T: np.ndarray, start_J: np.ndarray, end_J: np.ndarray) -> list[bytes]:
    """Hash the ids of each document: xxh3, 16 bytes; about 0.3 us a document of 500 ids."""
    view = memoryview(np.ascontiguousarray(ids_T).view(np.uint8))  # type: ignore[arg-type]
    width = ids_T.itemsize
    return [
        xxhash.xxh3_128_digest(view[lo * width : hi * width])
        for lo, hi in zip(start_J.tolist(), end_J.tolist(), strict=True)
    ]


def find_leaked(bins: Bins, held_out: HeldOut) -> np.ndarray:
    """Find the held-out documents that stand, id for id, in a model's training data.

    Returns bool, shape (J,). Reads train.bin once: 0.4 to 2 GB/s for documents of
    50 to 500 ids.
    """
    ids = bins.map_ids("train")
    spans = find_documents(ids, bins.end_of_text)
    trained = set(hash_documents(ids, spans[:, 0], spans[:, 1]))
    wanted = hash_documents(held_out.ids, held_out.start_J, held_out.end_J)
    return np.array([each in trained for each in wanted], dtype=np.bool_)


def score_documents(
    model: GPT,
    held_out: HeldOut,
    device: torch.device,
    batch: int,
    check: Callable[[], None] | None = None,
) -> Scores:
    """Score each document; the model is left in training mode.

    Windows of like length share a batch of at most `batch` full windows' worth of ids. Losses
    are summed a document in float64.

    Args:
        model: On `device`.
        held_out: What to score.
        device: Where the batches go.
        batch: Full windows scored at once.
        check: Called before each batch; it may raise.

    Raises:
        AssayError: The batch is too large for the device's memory.
    """
    nats_J = np.zeros(len(held_out), np.float64)
    model.eval()
    for window_B, ids_BT, target_BT in _pack(held_out, model.config.block_size, batch):
        if check is not None:
            check()
        try:
            loss_BT = model.score(ids_BT.to(device), target_BT.to(device))
        except torch.OutOfMemoryError as error:
            raise AssayError(
                f"{batch} windows scored at once do not fit into the memory of {device}; lower "
                "eval_batch_size"
            ) from error
        np.add.at(nats_J, window_B, loss_BT.cpu().double().sum(1).numpy())
    model.train()
    return Scores(
        held_out.document_J, nats_J, held_out.tokens_J, held_out.bytes_J, held_out.leaked_J
    )


def _pack(
    held_out: HeldOut, block_size: int, batch: int
) -> Iterator[tuple[np.ndarray, torch.Tensor, torch.Tensor]]:
    """Yield documents' places, inputs and targets, longest windows first."""
    owner_K, begin_K = _cut(held_out, block_size)
    length_K = np.minimum(held_out.end_J[owner_K] - begin_K, block_size)
    order_K = np.argsort(-length_K, kind="stable")
    place = 0
    while place < order_K.size:
        longest = int(length_K[order_K[place]])
        chosen_B = order_K[place : place + max(1, batch * block_size // longest)]
        place += chosen_B.size
        reach_T = np.arange(longest)
        inside_BT = reach_T < length_K[chosen_B][:, None]
        index_BT = np.where(inside_BT, begin_K[chosen_B][:, None] + reach_T, 0)
        target_BT = np.where(inside_BT, held_out.ids[index_BT].astype(np.int64), IGNORE_INDEX)
        input_BT = np.full_like(target_BT, held_out.end_of_text)
        input_BT[:, 1:] = np.maximum(target_BT[:, :-1], 0)
        later_B = begin_K[chosen_B] > held_out.start_J[owner_K[chosen_B]]
        previous_B = held_out.ids[np.maximum(begin_K[chosen_B] - 1, 0)]
        input_BT[:, 0] = np.where(later_B, previous_B, held_out.end_of_text)
        yield owner_K[chosen_B], torch.from_numpy(input_BT), torch.from_numpy(target_BT)


def _cut(held_out: HeldOut, block_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut documents into windows: whose each is, and where it begins in the bin."""
    windows_J = -(-held_out.tokens_J // block_size)
    owner_K = np.repeat(np.arange(windows_J.size), windows_J)
    first_K = np.repeat(np.cumsum(windows_J) - windows_J, windows_J)
    return owner_K, held_out.start_J[owner_K] + (np.arange(owner_K.size) - first_K) * block_size
