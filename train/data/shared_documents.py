"""Which documents the arms of a comparison share, and how each arm's ids are laid out for it.

An arm's documents are put in another order, so that those which it shares with the others stand
together, alike in every arm: a window cut there holds the same ids in each of them, whatever was
dropped, added or edited elsewhere. Documents that are no other arm's follow in their own order.
Nothing is left out: a layout is a permutation of the documents of a bin.

A document is known by its content hash, its length, and how many copies came before it. Cutting
each bin by itself cannot do this: of windows that hold six documents each, a window would survive
edits of one document in five only if its place depended on less than a quarter of a document
outside of it, and then a fiftieth of the ids does not pay for the padding.
"""

# D = documents, A = arms, G = grids of an arm, N = ids, K = parts of a key
# U = documents of any arm, each once

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.errors import UsageError

if TYPE_CHECKING:
    from assay.formats.bins import Bins

# A group of documents that some arms share is cut apart from what follows it in an arm, which costs
# less than a window there; groups of fewer windows stand among the arm's own.
_MIN_WINDOWS = 64
_MAX_ARMS = 63


@dataclass(frozen=True, slots=True)
class BinDocuments:
    """The documents of a training bin, in its order: they tile it, each with its end-of-text.

    `hash_D2` has 16 bytes of content hash a document, as two uint64: equal ones have equal texts.
    """

    start_D: np.ndarray
    end_D: np.ndarray
    hash_D2: np.ndarray

    def __post_init__(self) -> None:
        """Refuse documents that do not tile a bin; UsageError."""
        if not self.start_D.size:
            raise UsageError("a bin without documents cannot be coupled with others")
        gaps_D = self.start_D != np.concatenate([[0], self.end_D[:-1]])
        if gaps_D.any() or (self.end_D <= self.start_D).any():
            raise UsageError("documents must lie one after the other in a bin, from its first id")

    @property
    def num_ids(self) -> int:
        """The length of the bin."""
        return int(self.end_D[-1])


@dataclass(frozen=True, slots=True)
class Layout:
    """An arm's documents in the order in which its windows are cut.

    Attributes:
        document_D: The place in the bin's table of each document, in the new order.
        offset_D: Where each begins in the new order.
        num_ids: Ids of the arm.
        bound_G: Where each grid of windows begins; what a grid covers ends where the next begins.
        group_G: The group of documents that the beginning of each grid holds; -1: of no group.
        shared_G: Ids of that group.
    """

    document_D: np.ndarray
    offset_D: np.ndarray
    num_ids: int
    bound_G: np.ndarray
    group_G: np.ndarray
    shared_G: np.ndarray

    def windows_per_grid(self, block_size: int) -> np.ndarray:
        """Return how many windows each grid has: int64, shape (G,)."""
        return np.diff(self.bound_G, append=self.num_ids) // block_size


def read_bin_documents(bins: "Bins") -> BinDocuments:
    """Read the documents of a training bin from its table.

    Raises:
        UsageError: They do not tile the bin, or one does not end with an end-of-text.
    """
    table, ids_N = bins.read_documents("train"), bins.map_ids("train")
    joined = b"".join(table["content_hash"].to_list())
    documents = BinDocuments(
        table["start"].to_numpy().astype(np.int64),
        table["end"].to_numpy().astype(np.int64),
        np.frombuffer(joined, np.uint64).reshape(-1, 2),
    )
    if documents.num_ids != ids_N.size:
        raise UsageError(
            f"{bins.folder}: documents.parquet has documents of {documents.num_ids:,} ids, "
            f"train.bin has {ids_N.size:,}; prepare the bins again"
        )
    if (open_D := ids_N[documents.end_D - 1] != bins.end_of_text).any():
        raise UsageError(
            f"{bins.folder}: document {int(np.argmax(open_D)):,} of train.bin does not end with "
            f"the end-of-text id {bins.end_of_text}; coupled arms need one after each"
        )
    return documents


def lay_out(arms: Sequence[BinDocuments], block_size: int) -> list[Layout]:
    """Lay out the documents of all arms; those that arms share in the order of the first of them.

    Raises:
        UsageError: There are too many arms.
    """
    if len(arms) > _MAX_ARMS:
        raise UsageError(f"at most {_MAX_ARMS} arms can be coupled, got {len(arms)}")
    number_AD = _number_documents(arms)
    size_U = np.zeros(1 + max(int(number_D.max()) for number_D in number_AD), np.int64)
    mask_U = np.zeros(size_U.size, np.int64)
    first_U = np.full(size_U.size, -1)  # its place in the first arm that has it
    for place, (arm, number_D) in enumerate(zip(arms, number_AD, strict=True)):
        fresh_D = mask_U[number_D] == 0
        first_U[number_D[fresh_D]] = np.flatnonzero(fresh_D)
        size_U[number_D] = arm.end_D - arm.start_D
        mask_U[number_D] |= 1 << place
    groups = _choose_groups(mask_U, size_U, len(arms), block_size)
    return [
        _lay_out_arm(arm, place, groups, mask_U[number_D], first_U[number_D])
        for place, (arm, number_D) in enumerate(zip(arms, number_AD, strict=True))
    ]


def gather_ids(ids_N: np.ndarray, documents: BinDocuments, layout: Layout) -> np.ndarray:
    """Return the ids of an arm in the order of its layout; as many bytes as the bin has."""
    spans = zip(
        documents.start_D[layout.document_D].tolist(),
        documents.end_D[layout.document_D].tolist(),
        strict=True,
    )
    return np.concatenate([ids_N[start:end] for start, end in spans])


def find_positions(position: np.ndarray, documents: BinDocuments, layout: Layout) -> np.ndarray:
    """Return where in the bin an id of the layout lies, for each of some: int64."""
    place = np.searchsorted(layout.offset_D, position, "right") - 1
    inside = position - layout.offset_D[place]
    found: np.ndarray = documents.start_D[layout.document_D[place]] + inside
    return found


def _number_documents(arms: Sequence[BinDocuments]) -> list[np.ndarray]:
    """Give documents that are the same in several arms one number, from 0 on; int64, (D,) each."""
    keys = []
    for arm in arms:
        size_D = (arm.end_D - arm.start_D).astype(np.uint64)
        text_DK = np.column_stack([arm.hash_D2, size_D])
        keys.append(np.column_stack([text_DK, _count_before(text_DK)]))
    order, begins = _sort_rows(np.concatenate(keys))
    number = np.empty(order.size, np.int64)
    number[order] = np.cumsum(begins) - 1
    return np.split(number, np.cumsum([len(key_DK) for key_DK in keys])[:-1])


def _count_before(key_DK: np.ndarray) -> np.ndarray:
    """Count for each row how often it came before."""
    order_D, begins_D = _sort_rows(key_DK)
    place_D = np.arange(order_D.size)
    before_D = np.empty(order_D.size, np.uint64)
    before_D[order_D] = place_D - np.maximum.accumulate(np.where(begins_D, place_D, 0))
    return before_D


def _sort_rows(key_DK: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an order that puts equal rows side by side, and where in it another row begins."""
    order_D = np.lexsort(key_DK.T)
    sorted_DK = key_DK[order_D]
    begins_D = np.concatenate([[True], (sorted_DK[1:] != sorted_DK[:-1]).any(1)])
    return order_D, begins_D


def _choose_groups(mask_U: np.ndarray, size_U: np.ndarray, arms: int, block_size: int) -> list[int]:
    """Choose the sets of arms whose common documents are cut apart: those of most arms first."""
    masks, place = np.unique(mask_U, return_inverse=True)
    ids = np.bincount(place, size_U).astype(np.int64)
    whole = (1 << arms) - 1
    chosen = [
        (-mask.bit_count(), -total, mask)
        for mask, total in zip(masks.tolist(), ids.tolist(), strict=True)
        if mask.bit_count() > 1 and (mask == whole or total >= _MIN_WINDOWS * block_size)
    ]
    return [mask for _, _, mask in sorted(chosen)]


def _lay_out_arm(
    arm: BinDocuments, place: int, groups: Sequence[int], mask_D: np.ndarray, first_D: np.ndarray
) -> Layout:
    """Put the groups that an arm has a part in first, each in the order of its first arm."""
    mine = [(n, mask) for n, mask in enumerate(groups) if mask >> place & 1]
    parts, lengths = [], []
    for _, mask in mine:
        held = np.flatnonzero(mask_D == mask)
        parts.append(held[np.argsort(first_D[held], kind="stable")])
        lengths.append(int((arm.end_D - arm.start_D)[held].sum()))
    own = np.flatnonzero(~np.isin(mask_D, [mask for _, mask in mine]))
    document_D = np.concatenate([*parts, own])
    size_D = (arm.end_D - arm.start_D)[document_D]
    if not mine:
        mine, lengths = [(-1, 0)], [0]
    return Layout(
        document_D,
        np.cumsum(size_D) - size_D,
        arm.num_ids,
        np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
        np.array([n for n, _ in mine]),
        np.array(lengths, np.int64),
    )
