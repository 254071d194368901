"""The order of documents in a bin: shuffled by a seed, the same for ever."""

import numpy as np
import polars as pl


def shuffle_documents(documents: pl.DataFrame, positions: np.ndarray, seed: int) -> np.ndarray:
    """Return `positions` shuffled by `seed`.

    Documents are sorted by a hash of (seed, their text, how many equal texts came before), so
    the order depends neither on the order of the shards nor on a library's random generator, and
    two datasets from one audit have the documents that they share in the same relative order.
    """
    chosen = documents[positions.tolist()].select("content_hash")
    halves = np.frombuffer(b"".join(chosen["content_hash"]), dtype="<u8").reshape(-1, 2)
    repeat_N = chosen.select(repeat=pl.int_range(pl.len()).over("content_hash"))["repeat"]
    key_N = halves[:, 0] ^ _mix(halves[:, 1] + _mix(repeat_N.to_numpy().astype(np.uint64)))
    key_N = _mix(key_N + _mix(np.array([seed & 0xFFFF_FFFF_FFFF_FFFF], dtype=np.uint64)))
    return positions[np.argsort(key_N, kind="stable")]


def _mix(value: np.ndarray) -> np.ndarray:
    """Mix 64-bit values (SplitMix64's finisher; Steele, Lea, Flood 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)))
