"""Kinds of signature to compare: each turns documents into rows of values, for any seed.

Another kind is one more entry of `SIGNERS`, or `--signer module:function` on a command line.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.fast_similarity import Slots
from assay.audit.minhash.permutations import make_permutations
from assay.audit.minhash.sign import sign_sets, sign_texts
from assay.audit.pairs.jaccard import make_sets

# From UTF-8 and the N + 1 offsets of documents in it to a signature each, shape (N, values).
Sign: TypeAlias = Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[Any]]
Signer: TypeAlias = Callable[[int], Sign]  # a seed chooses one


def make_affine32(seed: int) -> Sign:
    """Return assay's k permutations, 128 of them."""
    permutations = make_permutations(seed=seed)

    def sign(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[Any]:
        return sign_texts(data, offsets, permutations).signature_NP

    return sign


def make_slots(seed: int) -> Sign:
    """Return assay's 128 slots, which know no seed: the shingles are mixed with it before."""
    mixed_in = np.uint64(seed * 0x9E37_79B9_7F4A_7C15 & 0xFFFF_FFFF_FFFF_FFFF)

    def sign(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[Any]:
        sets = make_sets(data, offsets)
        value = (sets.values ^ mixed_in) * np.uint64(0xFF51_AFD7_ED55_8CCD)
        value = (value ^ (value >> np.uint64(33))) * np.uint64(0xC4CE_B9FE_1A85_EC53)
        return sign_sets(value ^ (value >> np.uint64(33)), sets.offsets_N, Slots())

    return sign


SIGNERS: dict[str, Signer] = {"affine32": make_affine32, "slots": make_slots}


def find_signer(name: str) -> Signer:
    """Return a signer by its name, or by module and function.

    Raises:
        ValueError: There is none of that name.
    """
    if name in SIGNERS:
        return SIGNERS[name]
    module, _, function = name.partition(":")
    if not function:
        raise ValueError(f"no signer {name!r}; known are {', '.join(SIGNERS)}, or module:function")
    signer: Signer = getattr(import_module(module), function)
    return signer
