"""Kinds of signature to compare: each turns documents into rows of values, for any seed.

Another kind is one more entry of `SIGNERS`, or `--signer module:function` on a command line.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from assay.audit.signatures import make_permutations, sign_documents

# From UTF-8 and the N + 1 offsets of documents in it to a signature each, shape (N, values).
Sign: TypeAlias = Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[Any]]
Signer: TypeAlias = Callable[[int], Sign]  # a seed chooses one


def make_affine32(seed: int) -> Sign:
    """Return assay's k permutations, 128 of them."""
    permutations = make_permutations(seed=seed)

    def sign(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[Any]:
        return sign_documents(data, offsets, permutations).signature_NP

    return sign


SIGNERS: dict[str, Signer] = {"affine32": make_affine32}


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
