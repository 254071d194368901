"""Arms that share documents, as ids in memory, and what an edit of them leaves of their windows."""

import hashlib
from collections.abc import Sequence

import numpy as np

from assay.train.data.coupled_order import CoupledSchedule
from assay.train.data.shared_documents import BinDocuments, gather_ids, lay_out

END = 60_000
Texts = list[tuple[int, ...]]  # without end-of-text


def draw_texts(seed: int, count: int, mean: float, spread: float = 0.8) -> Texts:
    """Draw documents whose lengths are log-normal about a mean."""
    generator = np.random.default_rng(seed)
    drawn = generator.lognormal(np.log(mean) - spread**2 / 2, spread, count)
    sizes = np.maximum(1, np.round(drawn)).astype(int)
    return [tuple(generator.integers(0, END, size).tolist()) for size in sizes]


def change_texts(texts: Texts, kind: str, share: float, seed: int) -> tuple[Texts, set[int]]:
    """Edit, drop or insert a share of documents; return the new ones, and the old places touched.

    An edit exchanges one id, or adds some, as an editor of texts would. An insertion touches none.
    """
    generator = np.random.default_rng(seed)
    hit = set(np.flatnonzero(generator.random(len(texts)) < share).tolist())
    if kind == "insert":
        fresh = draw_texts(seed + 1, len(hit), float(np.mean([len(text) for text in texts])))
        places = sorted(hit)
        changed: Texts = []
        for place, text in enumerate(texts):
            changed += [fresh[places.index(place)]] if place in hit else []
            changed.append(text)
        return changed, set()
    if kind == "drop":
        return [text for place, text in enumerate(texts) if place not in hit], hit
    changed = []
    for place, text in enumerate(texts):
        at = int(generator.integers(len(text)))
        more = tuple(generator.integers(0, END, int(generator.integers(1, 9))).tolist())
        changed.append(text[:at] + more + text[at + 1 :] if place in hit else text)
    return changed, hit


def as_bin(texts: Texts) -> tuple[np.ndarray, BinDocuments]:
    """Lay documents one after the other, with an end-of-text each."""
    ids_N = np.array([each for text in texts for each in (*text, END)], np.uint16)
    end_D = np.cumsum([len(text) + 1 for text in texts])
    digests = [hashlib.blake2b(repr(text).encode(), digest_size=16).digest() for text in texts]
    hash_D2 = np.frombuffer(b"".join(digests), np.uint64).reshape(-1, 2)
    return ids_N, BinDocuments(np.concatenate([[0], end_D[:-1]]), end_D, hash_D2)


class CoupledArms:
    """Some arms, laid out and scheduled together."""

    def __init__(self, arms: Sequence[Texts], block: int, seed: int = 0) -> None:
        bins = [as_bin(texts) for texts in arms]
        self.block, self.documents = block, [documents for _, documents in bins]
        self.bin_ids = [ids_N for ids_N, _ in bins]
        self.layouts = lay_out(self.documents, block)
        self.schedule = CoupledSchedule(seed, self.layouts, block)
        self.orders = [self.schedule.order(arm) for arm in range(len(arms))]
        self.ids = [
            gather_ids(ids_N, documents, layout)
            for (ids_N, documents), layout in zip(bins, self.layouts, strict=True)
        ]

    def windows(self, arm: int, epoch: int = 0) -> list[bytes]:
        """The ids of an arm's windows of an epoch, in the order in which they come."""
        order, ids_N = self.orders[arm], self.ids[arm]
        start_W = order.starts(epoch * order.windows_per_epoch, order.windows_per_epoch)
        index_WT = (start_W[:, None] + np.arange(self.block + 1)) % ids_N.size
        return [row.tobytes() for row in ids_N[index_WT]]

    def documents_touched(self, arm: int) -> list[set[int]]:
        """The places in the bin of the documents that each of those windows trains on."""
        order, layout = self.orders[arm], self.layouts[arm]
        start_W = order.starts(0, order.windows_per_epoch)
        target_WT = (start_W[:, None] + 1 + np.arange(self.block)) % order.num_ids
        place_WT = np.searchsorted(layout.offset_D, target_WT, "right") - 1
        return [set(row.tolist()) for row in layout.document_D[place_WT]]
