"""Twenty ways to break signatures and bands: each is a patch, in force while an audit runs.

*Shuffled* ways change which key stands in which band or with which document, *damaged* ones the
values that are signed. Those named `scan_` change what the scan makes alone, the others whatever
signs or bands.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from assay.audit.duplicates import near_pairs
from assay.audit.minhash import lsh_config
from assay.audit.minhash.band_keys import KeyTable, make_keys
from assay.audit.minhash.sign import Signed, sign_sets, sign_texts
from assay.audit.pairs import planted_pairs
from assay.audit.pairs.candidates import Candidates, propose_pairs
from assay.audit.scan import scanner
from assay.text.shingling import Shingling

Change = Callable[[Any], Any]


def _shuffle_bands(key_BN: Any) -> Any:
    generator = np.random.default_rng(key_BN.shape[1])
    return generator.permuted(key_BN, axis=0)


def _shuffle_documents(key_BN: Any) -> Any:
    generator = np.random.default_rng(1)
    return np.stack([generator.permutation(key_N) for key_N in key_BN])


def _renew_half(key_BN: Any) -> Any:
    changed = key_BN.copy()
    half = len(changed) // 2
    drawn = np.random.default_rng(key_BN.shape[1]).integers(1, 2**63, changed[half:].shape)
    changed[half:] = 2 * drawn.astype(np.uint64) + np.uint64(1)
    return changed


def _swap_two(key_BN: Any) -> Any:
    """In every second document the two halves of the bands change places."""
    changed = key_BN.copy()
    changed[:, ::2] = np.roll(changed[:, ::2], len(changed) // 2, axis=0)
    return changed


def _flip_values(share: float) -> Change:
    def flip(signature_NP: Any) -> Any:
        generator = np.random.default_rng(len(signature_NP))
        hit = generator.random(signature_NP.shape) < share
        bits = generator.integers(1, 2**31, signature_NP.shape).astype(signature_NP.dtype)
        return np.where(hit, signature_NP ^ bits, signature_NP)

    return flip


def _set_values(first: int, last: int) -> Change:
    def change(signature_NP: Any) -> Any:
        changed = signature_NP.copy()
        changed[:, first:last] = 0
        return changed

    return change


def _roll_each(signature_NP: Any) -> Any:
    return np.stack([np.roll(row, place % 7) for place, row in enumerate(signature_NP)])


def _repeat_values(signature_NP: Any) -> Any:
    """Every band has one value, eight times."""
    return np.repeat(signature_NP[:, ::8], 8, axis=1)


def _sum_values(signature_NP: Any) -> Any:
    """Each value takes in the ones before it."""
    return np.cumsum(signature_NP, axis=1, dtype=signature_NP.dtype)


# What is done to the keys (bands, documents) that `make_keys` returns.
KEYS: dict[str, Change] = {
    "bands shuffled in each document": _shuffle_bands,
    "halves of the bands swapped in every second document": _swap_two,
    "half of the bands drawn anew": _renew_half,
    "keys shuffled among the documents of each band": _shuffle_documents,
    "first band in place of all": lambda key_BN: np.repeat(key_BN[:1], len(key_BN), axis=0),
    "keys cut to four bits": lambda key_BN: key_BN & np.uint64(31) | np.uint64(1),
}
# What is done to the signatures (documents, values), of texts and of sets.
VALUES: dict[str, Change] = {
    "one value in twenty flipped": _flip_values(0.05),
    "one value in five flipped": _flip_values(0.2),
    "the last 32 values zero": _set_values(96, 128),
    "the first 8 values zero": _set_values(0, 8),
    "values rolled by the document's place": _roll_each,
    "one value in place of a band": _repeat_values,
    "each value with those before it": _sum_values,
}
# The same in the scan alone.
SCAN_VALUES: dict[str, Change] = {
    "scan: one value in a thousand flipped": _flip_values(0.001),
    "scan: values in reverse": lambda signature_NP: signature_NP[:, ::-1].copy(),
    "scan: signatures of the document before": lambda signature_NP: np.roll(signature_NP, 1, 0),
}
# What the table of keys returns at the end of the scan.
TABLES: dict[str, Change] = {
    "table: bands shuffled in each document": _shuffle_bands,
    "table: keys one document on": lambda key_BN: np.roll(key_BN, 1, axis=1),
    "table: halves of the bands swapped in every second document": _swap_two,
}
LOST = "search: half of the bands are not searched"
WAYS = (*KEYS, *VALUES, *SCAN_VALUES, *TABLES, LOST)


@contextmanager
def broken(way: str) -> Iterator[None]:
    """Break signatures or bands in one of the `WAYS`."""
    with ExitStack() as stack:
        for target, name, replacement in _list_patches(way):
            stack.enter_context(patch.object(target, name, replacement))
        yield


def _list_patches(way: str) -> list[tuple[Any, str, Any]]:
    if way == LOST:
        return [(room, "propose_pairs", _search_half) for room in (planted_pairs, near_pairs)]
    if change := KEYS.get(way):
        return [(lsh_config, "make_keys", lambda *given: change(make_keys(*given)))]
    if change := TABLES.get(way):
        finish = KeyTable.finish
        return [(KeyTable, "finish", lambda table: change(finish(table)))]
    change = VALUES.get(way) or SCAN_VALUES[way]

    def sign_changed(
        text: Any,
        offsets: Any,
        scheme: Any,
        shingling: Shingling = Shingling(),  # noqa: B008
    ) -> Signed:
        signed = sign_texts(text, offsets, scheme, shingling)
        return Signed(
            change(signed.signature_NP),
            signed.words_N,
            signed.chars_N,
            signed.num_shingles_N,
            signed.short_N,
        )

    patches: list[tuple[Any, str, Any]] = [(scanner, "sign_texts", sign_changed)]
    if way in VALUES:
        patches += [(planted_pairs, "sign_sets", lambda *given: change(sign_sets(*given)))]
    return patches


def _search_half(key_BN: Any, eligible_N: Any, **given: Any) -> Candidates:
    return propose_pairs(key_BN[: len(key_BN) // 2].copy(), eligible_N, **given)
