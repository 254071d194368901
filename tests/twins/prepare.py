"""Slow twins of preparing: the fate of documents, the bytes of a bin."""

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import xxhash


def plan(
    rows: Sequence[Mapping[str, Any]],
    drop: Collection[str],
    seed: int,
    *,
    keep: str = "longest",
    val_share: float = 0.0,
    val_tokens: int | None = None,
    val_shards: Collection[int] = (),
) -> list[tuple[str, int]]:
    """Return for each document "train", "val" or why it was dropped, and for which other (or -1).

    Rows hold shard, cluster, content_hash, tokens, bytes and keeper, in the audit's order.
    """
    fates = [("train", -1)] * len(rows)
    clusters: dict[int, list[int]] = {}
    for index, row in enumerate(rows):
        clusters.setdefault(row["cluster"], []).append(index)
    keepers = {}
    for label, members in clusters.items():
        longest = next(index for index in members if rows[index]["keeper"])
        keepers[label] = longest if keep == "longest" else members[0]
    held_out = _hold_out(rows, clusters, keepers, seed, val_share, val_tokens)
    for label, members in clusters.items():
        val = [index for index in members if rows[index]["shard"] in val_shards]
        if not val_shards and label in held_out:
            val = [keepers[label]]
        for index in members:
            if index in val:
                fates[index] = ("val", -1)
            elif val and ("leaked" in drop or not val_shards):
                fates[index] = ("leaked", val[0])
        _drop_repeats(rows, members, keepers[label], drop, fates)
    return fates


def _hold_out(
    rows: Sequence[Mapping[str, Any]],
    clusters: Mapping[int, list[int]],
    keepers: Mapping[int, int],
    seed: int,
    val_share: float,
    val_tokens: int | None,
) -> set[int]:
    draws = {}
    for label, members in clusters.items():
        smallest = min(rows[index]["content_hash"] for index in members)
        draws[label] = xxhash.xxh3_64_intdigest(struct.pack("<q", seed) + smallest) / 2**64
    filled = [label for label in clusters if rows[keepers[label]]["bytes"]]
    if val_tokens is None:
        return {label for label in filled if draws[label] < val_share}
    chosen: set[int] = set()
    for label in sorted(filled, key=lambda label: draws[label]):
        if sum(rows[keepers[other]]["tokens"] for other in chosen) < val_tokens:
            chosen.add(label)
    return chosen


def _drop_repeats(
    rows: Sequence[Mapping[str, Any]],
    members: Sequence[int],
    keeper: int,
    drop: Collection[str],
    fates: list[tuple[str, int]],
) -> None:
    """Drop what repeats another training document of its cluster, in place."""
    train = sorted((i for i in members if fates[i][0] == "train"), key=lambda i: (i != keeper, i))
    text = {index: rows[index]["content_hash"] for index in train}
    for index in train:
        first = next(other for other in train if text[other] == text[index])
        if "exact" in drop and first != index and rows[index]["bytes"]:
            fates[index] = ("exact", first)
        elif "near" in drop and text[index] != text[train[0]]:
            fates[index] = ("near", train[0])
        elif "empty" in drop and not rows[index]["tokens"]:
            fates[index] = ("empty", -1)


def bin_bytes(documents: Iterable[Sequence[int]], end_of_text: int) -> bytes:
    """Return a nanoGPT bin: each id as two bytes, the lower first, end-of-text after each."""
    return b"".join(struct.pack(f"<{len(ids) + 1}H", *ids, end_of_text) for ids in documents)
