"""Planted pairs: how often the bands in force find pairs of a known Jaccard, measured in the run.

Of some documents the set of shingles is taken, and for each of a few similarities a second set is
made: as many of its shingles as it takes are replaced by new ones, drawn at random. Both are
signed, and it is seen whether they agree in a band. The documents are chosen by their content
hashes, which seed the new shingles too: the same documents give the same counts, however they
lie in shards and row groups.
"""

# D = documents planted in, L = levels of Jaccard

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.sign import Scheme, hide_order, sign_sets
from assay.audit.pairs.jaccard import make_sets
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
class PlantedPairs:
    """Pairs planted in D documents, one a level: their true Jaccard, and whether bands agree.

    `content_hash_D` names the documents (16 bytes); copies in several batches stand several times.
    """

    jaccard_DL: NDArray[np.float64]
    found_DL: NDArray[np.bool_]
    content_hash_D: NDArray[np.void]

    def take(self, chosen: Any) -> "PlantedPairs":
        """Return the pairs of some of the documents: positions, or a mask."""
        return PlantedPairs(
            self.jaccard_DL[chosen], self.found_DL[chosen], self.content_hash_D[chosen]
        )


def join_planted(parts: Sequence[PlantedPairs]) -> PlantedPairs:
    """Put the pairs of several batches one after another."""
    empty = np.empty((0, len(LEVELS)))
    return PlantedPairs(
        np.concatenate([empty, *(part.jaccard_DL for part in parts)]),
        np.concatenate([empty.astype(np.bool_), *(part.found_DL for part in parts)]),
        np.concatenate([np.empty(0, "V16"), *(part.content_hash_D for part in parts)]),
    )


def keep_one_a_cluster(
    planted: PlantedPairs, content_hash_N: NDArray[np.void], cluster_N: NDArray[np.int64]
) -> PlantedPairs:
    """Keep the planted document of smallest hash of each cluster.

    Texts that are alike have like signatures, so that pairs planted in them are found or missed
    together: counted apart they would stray from what is expected further than chance allows.
    """
    planted_D, half_N = planted.content_hash_D, np.ascontiguousarray(content_hash_N).view("<u8")
    named = np.flatnonzero(np.isin(half_N[::2], planted_D.view("<u8")[::2]))
    cluster_of = dict(zip(content_hash_N[named].tolist(), cluster_N[named].tolist(), strict=True))
    kept: dict[int, int] = {}
    for name, index in sorted((name, index) for index, name in enumerate(planted_D.tolist())):
        kept.setdefault(cluster_of[name], index)
    return planted.take(sorted(kept.values()))


def choose_documents(
    content_hash_N: NDArray[np.void], bytes_N: NDArray[np.int64], num_rows: int
) -> NDArray[np.bool_]:
    """Choose documents in which to plant: by content hash, some 256 of a corpus of `num_rows`."""
    return _are_drawn(content_hash_N, num_rows) & (bytes_N <= MAX_BYTES)


def keep_drawn(planted: PlantedPairs, num_rows: int) -> PlantedPairs:
    """Keep what would have been planted in a corpus of `num_rows`.

    Exact where documents were chosen as in a corpus of as many rows or fewer.
    """
    return planted.take(_are_drawn(planted.content_hash_D, num_rows))


def _are_drawn(content_hash_N: NDArray[np.void], num_rows: int) -> NDArray[np.bool_]:
    limit = min(1.0, MAX_DOCUMENTS / max(1, num_rows)) * 2.0**64
    return np.asarray(np.ascontiguousarray(content_hash_N).view("<u8")[1::2] < limit)


def plant_pairs(
    text: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    content_hash_N: NDArray[np.void],
    chosen_N: NDArray[np.bool_],
    scheme: Scheme,
    config: MinHashConfig,
) -> PlantedPairs:
    """Plant pairs in the chosen documents of a batch, those of too few shingles left out.

    Of equal texts only the first is taken. About 0.1 ms a document of 1,000 words, without the GIL.
    """
    chosen_N = _drop_copies(content_hash_N, chosen_N)
    sets = make_sets(text, offsets, chosen_N=chosen_N, shingling=config.shingling)
    values = hide_order(sets.values, sets.offsets_N, scheme)
    size_N = np.diff(sets.offsets_N)
    planted = np.flatnonzero(size_N >= _MIN_SHINGLES)
    size_D1 = size_N[planted][:, None]
    level_L = np.array(LEVELS)
    replaced_DL = np.rint(size_D1 * (1 - level_L) / (1 + level_L)).astype(np.int64)
    seeds = np.ascontiguousarray(content_hash_N).view("<u8")[::2][planted]
    altered, ends = _alter_sets(values, sets.offsets_N, planted, seeds, replaced_DL)
    key_BN = config.hash_bands(sign_sets(altered, ends, scheme))
    key_BDL = key_BN.reshape(config.bands, planted.size, 1 + len(LEVELS))
    return PlantedPairs(
        jaccard_DL=(size_D1 - replaced_DL) / (size_D1 + replaced_DL),
        found_DL=np.any(key_BDL[:, :, :1] == key_BDL[:, :, 1:], axis=0),
        content_hash_D=content_hash_N[planted],
    )


def _drop_copies(
    content_hash_N: NDArray[np.void], chosen_N: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    chosen = np.flatnonzero(chosen_N)
    first = dict(zip(content_hash_N[chosen[::-1]].tolist(), chosen[::-1].tolist(), strict=True))
    first_N = np.zeros(chosen_N.size, np.bool_)
    first_N[list(first.values())] = True
    return first_N


@njit
def _alter_sets(
    values: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    planted: NDArray[np.int64],
    seeds: NDArray[np.uint64],
    replaced_DL: NDArray[np.int64],
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """List each planted document's set, and a copy a level whose first members are new ones.

    The order of the members must tell a signature nothing (`hide_order`). Returns the sets, one
    after another, and where each starts and the last ends.
    """
    total = 0
    for index in range(planted.size):
        total += offsets[planted[index] + 1] - offsets[planted[index]]
    num_levels = replaced_DL.shape[1]
    altered = np.empty(total * (1 + num_levels), np.uint64)
    ends = np.zeros(planted.size * (1 + num_levels) + 1, np.int64)
    at = 0
    for index in range(planted.size):
        first, last = offsets[planted[index]], offsets[planted[index] + 1]
        for level in range(-1, num_levels):
            replaced = replaced_DL[index, level] if level >= 0 else 0
            for place in range(last - first):
                if place < replaced:
                    drawn = seeds[index] + _STEP * np.uint64(place + 1)
                    altered[at] = finish_64(drawn)
                else:
                    altered[at] = values[first + place]
                at += 1
            ends[index * (1 + num_levels) + level + 2] = at
    return altered, ends


def tally_planted(planted: PlantedPairs, config: MinHashConfig) -> list[PlantedLevel]:
    """Compare, level by level, the pairs found with the number that the bands should propose.

    `expected` sums the stated chance at each pair's own Jaccard. Sums are exact, so that they do
    not depend on the order of the documents.
    """
    levels = []
    for level, target in enumerate(LEVELS):
        chances = [config.detect(jaccard) for jaccard in planted.jaccard_DL[:, level].tolist()]
        levels.append(
            PlantedLevel(
                jaccard=target,
                pairs=len(chances),
                found=int(planted.found_DL[:, level].sum()),
                expected=math.fsum(chances),
                deviation=math.sqrt(math.fsum(chance * (1 - chance) for chance in chances)),
            )
        )
    return levels
