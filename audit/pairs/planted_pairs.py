"""Planted pairs: how often the bands in force find pairs of a known Jaccard, measured in the run.

Some documents are chosen by their content hashes. For each a set of as many random shingles as it
has is made, and for each of a few similarities a second set: as many of its shingles as it takes
are replaced by other random ones. All are signed and banded by the code in force, and searched for
pairs. The shingles are not the document's own: documents that share a passage would agree, or not,
in the same bands, and their pairs be found or missed together. The content hash seeds them, so the
same documents give the same counts, however they lie in shards and row groups.

What this says of random sets holds for the texts if their keys are those of their sets. So the keys
of each chosen document are made a second time, from its set, and compared with what the scan
made of the text and kept.
"""

# N = documents, D = documents planted in, L = levels of Jaccard, B = bands

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.sign import Scheme, sign_sets
from assay.audit.pairs.buckets import mix_key
from assay.audit.pairs.candidates import propose_pairs
from assay.audit.pairs.jaccard import make_sets
from assay.engine import map_tasks
from assay.formats.audit_totals import PlantedLevel
from assay.kernels import njit
from assay.text.simd import finish_64

LEVELS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
MAX_DOCUMENTS = 256  # about so many are chosen, all of a small corpus
MAX_BYTES = (
    100_000  # bytes; longer documents are not chosen: they would take long, and teach no more
)
_STEP = np.uint64(0x9E37_79B9_7F4A_7C15)  # splitmix64's (Steele, Lea, Flood 2014)
_MIN_SHINGLES = 20  # below, the Jaccards that can be made are too coarse


@dataclass(frozen=True, slots=True)
class PlantedDocuments:
    """D documents to plant pairs in: the sizes of their sets, and their keys made from those.

    `key_D` has all band keys of a document in one number. `content_hash_D` names them (16 bytes);
    copies in several batches stand several times.
    """

    size_D: NDArray[np.int64]
    key_D: NDArray[np.uint64]
    content_hash_D: NDArray[np.void]

    def take(self, chosen: Any) -> "PlantedDocuments":
        """Return some of the documents: positions, or a mask."""
        return PlantedDocuments(
            self.size_D[chosen], self.key_D[chosen], self.content_hash_D[chosen]
        )


@dataclass(frozen=True, slots=True)
class BandCheck:
    """What planted pairs gave, and of how many `documents` the scan's keys are `unlike`."""

    levels: list[PlantedLevel]
    documents: int
    unlike: int


def check_bands(
    planted: PlantedDocuments,
    content_hash_N: NDArray[np.void],
    key_BN: NDArray[np.uint64],
    config: MinHashConfig,
    *,
    num_rows: int,
    threads: int = 1,
) -> BandCheck:
    """Check signatures and bands on the chosen documents of a corpus of `num_rows`.

    To be asked before pairs are looked for, which changes keys of large buckets.
    """
    kept = keep_one_a_text(keep_drawn(planted, num_rows))
    return BandCheck(
        levels=plant_pairs(kept, config, threads=threads),
        documents=kept.size_D.size,
        unlike=count_unlike(kept, content_hash_N, key_BN),
    )


def join_planted(parts: Sequence[PlantedDocuments]) -> PlantedDocuments:
    """Put the documents of several batches one after another."""
    return PlantedDocuments(
        np.concatenate([np.empty(0, np.int64), *(part.size_D for part in parts)]),
        np.concatenate([np.empty(0, np.uint64), *(part.key_D for part in parts)]),
        np.concatenate([np.empty(0, "V16"), *(part.content_hash_D for part in parts)]),
    )


def keep_one_a_text(planted: PlantedDocuments) -> PlantedDocuments:
    """Keep each text once, in the order of content hashes."""
    kept = {name: index for index, name in enumerate(planted.content_hash_D.tolist())}
    return planted.take([kept[name] for name in sorted(kept)])


def choose_documents(
    content_hash_N: NDArray[np.void], bytes_N: NDArray[np.int64], num_rows: int
) -> NDArray[np.bool_]:
    """Choose documents in which to plant: by content hash, some 256 of a corpus of `num_rows`."""
    return _are_drawn(content_hash_N, num_rows) & (bytes_N <= MAX_BYTES)


def keep_drawn(planted: PlantedDocuments, num_rows: int) -> PlantedDocuments:
    """Keep what would have been chosen in a corpus of `num_rows`.

    Exact where documents were chosen as in a corpus of as many rows or fewer.
    """
    return planted.take(_are_drawn(planted.content_hash_D, num_rows))


def _are_drawn(content_hash_N: NDArray[np.void], num_rows: int) -> NDArray[np.bool_]:
    limit = min(1.0, MAX_DOCUMENTS / max(1, num_rows)) * 2.0**64
    return np.asarray(np.ascontiguousarray(content_hash_N).view("<u8")[1::2] < limit)


def measure_chosen(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    content_hash_N: NDArray[np.void],
    chosen_N: NDArray[np.bool_],
    scheme: Scheme,
    config: MinHashConfig,
) -> PlantedDocuments:
    """Collect the sets of the chosen documents of a batch, and make their keys from those.

    Documents without shingles are left out. About 0.02 ms a document of 1,000 words, without the
    GIL.
    """
    sets = make_sets(text, offsets, chosen_N=chosen_N, shingling=config.shingling)
    size_N = np.diff(sets.offsets_N)
    whole = np.flatnonzero(size_N)
    ends = np.append(0, np.cumsum(size_N[whole]))
    key_BD = config.hash_bands(sign_sets(sets.values, ends, scheme))
    return PlantedDocuments(size_N[whole], mix_keys(key_BD), content_hash_N[whole])


def mix_keys(key_BD: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Put all band keys of each document into one number."""
    mixed_D = np.zeros(key_BD.shape[1], np.uint64)
    for key_D in key_BD:
        mix_key(mixed_D, np.ascontiguousarray(key_D))
    return mixed_D


def count_unlike(
    planted: PlantedDocuments, content_hash_N: NDArray[np.void], key_BN: NDArray[np.uint64]
) -> int:
    """Count the texts whose keys in the table, of any copy, are not those made of their sets."""
    key_of = dict(zip(planted.content_hash_D.tolist(), planted.key_D.tolist(), strict=True))
    half_N = np.ascontiguousarray(content_hash_N).view("<u8")[::2]
    half_D = np.ascontiguousarray(planted.content_hash_D).view("<u8")[::2]
    position = np.flatnonzero(np.isin(half_N, half_D))
    keys = mix_keys(key_BN[:, position]).tolist()
    named = zip(content_hash_N[position].tolist(), keys, strict=True)
    return len({name for name, key in named if key_of.get(name, key) != key})


def plant_pairs(
    planted: PlantedDocuments, config: MinHashConfig, *, threads: int = 1
) -> list[PlantedLevel]:
    """Make a pair a level for each document, and compare, level by level, how many are proposed.

    `expected` sums the stated chance at each pair's own Jaccard. Sums are exact, so that they do
    not depend on the order of the documents, of which those of few shingles are left out. About
    0.1 ms a document of 1,000 words.
    """
    planted = planted.take(planted.size_D >= _MIN_SHINGLES)
    size_D1 = planted.size_D[:, None]
    level_L = np.array(LEVELS)
    replaced_DL = np.rint(size_D1 * (1 - level_L) / (1 + level_L)).astype(np.int64)
    jaccard_DL = (size_D1 - replaced_DL) / (size_D1 + replaced_DL)
    seed_D = np.ascontiguousarray(planted.content_hash_D).view("<u8")[::2]
    scheme = config.make_scheme()

    def sign(index: int) -> NDArray[np.uint64]:
        size = int(planted.size_D[index])
        drawn, ends = draw_sets(seed_D[index], size, replaced_DL[index])
        return config.hash_bands(sign_sets(drawn, ends, scheme))

    parts = list(map_tasks(sign, range(planted.size_D.size), threads))
    key_BA = np.concatenate([np.empty((config.bands, 0), np.uint64), *parts], axis=1)
    found_DL = _find_planted(key_BA, 1 + len(LEVELS))
    return [
        _tally(target, jaccard_DL[:, level], found_DL[:, level], config)
        for level, target in enumerate(LEVELS)
    ]


def _find_planted(key_BA: NDArray[np.uint64], each: int) -> NDArray[np.bool_]:
    """Search for the pairs of a first set with those after it, `each` sets a document."""
    number = key_BA.shape[1]
    proposed = propose_pairs(key_BA, np.ones(number, np.bool_))
    first_DL = np.repeat(np.arange(0, number, each), each - 1).reshape(-1, each - 1)
    pair_2DL = proposed.group_N[np.stack([first_DL, first_DL + np.arange(1, each)])]
    lower, upper = pair_2DL.min(axis=0), pair_2DL.max(axis=0)
    found = (lower == upper) | np.isin(
        lower * number + upper, proposed.pair_P2[:, 0] * number + proposed.pair_P2[:, 1]
    )
    for bucket in proposed.large:  # sound bands put no two documents' sets into one bucket
        found |= np.isin(lower, bucket) & np.isin(upper, bucket)
    return np.asarray(found)


def _tally(
    target: float, jaccard_D: NDArray[np.float64], found_D: NDArray[np.bool_], config: MinHashConfig
) -> PlantedLevel:
    chances = [config.detect(jaccard) for jaccard in jaccard_D.tolist()]
    return PlantedLevel(
        jaccard=target,
        pairs=len(chances),
        found=int(found_D.sum()),
        expected=math.fsum(chances),
        deviation=math.sqrt(math.fsum(chance * (1 - chance) for chance in chances)),
    )


@njit
def draw_sets(
    seed: np.uint64, size: int, replaced_L: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Draw a set of `size` shingles, and after it one a level that shares all but so many.

    Returns the sets, one after another, and where each starts and the last ends.
    """
    number = 1 + replaced_L.size
    drawn = np.empty(size * number, np.uint64)
    for index in range(number):
        skipped = replaced_L[index - 1] if index else 0
        for place in range(size):
            drawn[index * size + place] = finish_64(seed + _STEP * np.uint64(skipped + place + 1))
    return drawn, size * np.arange(number + 1)
