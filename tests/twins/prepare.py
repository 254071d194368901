"""Slow twins of preparing: the fate of documents, the bytes of a bin."""

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import xxhash


def plan(
    rows: Sequence[Mapping[str, Any]],
    keepers: Sequence[int],
    clusters: Sequence[int],
    drop: Collection[str],
    seed: int,
    *,
    val_share: float = 0.0,
    val_tokens: int | None = None,
    val_shards: Collection[int] = (),
) -> list[tuple[str, int]]:
    """Return for each document "train", "val" or why it was dropped, and for which other (or -1).

    Rows hold shard, content_hash, tokens and bytes, in the audit's order; of each the document
    that it goes for (itself where it stays), and its cluster.
    """
    fates = [("train", -1)] * len(rows)
    held_out = _hold_out(rows, keepers, clusters, seed, val_share, val_tokens)
    for index, row in enumerate(rows):
        val = [i for i, label in enumerate(clusters) if label == clusters[index]]
        val = [i for i in val if rows[i]["shard"] in val_shards]
        if row["shard"] in val_shards:
            fates[index] = ("val", -1)
        elif val and "leaked" in drop:
            fates[index] = ("leaked", val[0])
        elif not val_shards and clusters[index] in held_out:
            stays = keepers[index] == index
            fates[index] = ("val", -1) if stays else ("leaked", keepers[index])
    _drop_repeats(rows, keepers, drop, fates)
    return fates


def choose_keepers(
    rows: Sequence[Mapping[str, Any]],
    pairs: Mapping[tuple[int, int], float],
    *,
    keep: str = "longest",
    val_shards: Collection[int] = (),
) -> list[int]:
    """Return for each document the one that it goes for, itself where it stays: train first.

    `pairs` has every two documents that repeat each other, copies among them.
    """

    def in_val(index: int) -> bool:
        return rows[index]["shard"] in val_shards

    def place(index: int) -> tuple[Any, ...]:
        row = rows[index]
        own = () if keep == "first" else (-row["tokens"], row["content_hash"])
        return (in_val(index), *own, index)

    near: list[dict[int, float]] = [{} for _ in rows]
    for (a, b), value in pairs.items():
        near[a][b] = near[b][a] = value
    staying: list[int] = []
    for index in sorted(range(len(rows)), key=place):
        if not any(other in near[index] for other in staying):
            staying.append(index)
    return [
        index
        if index in staying
        else max(
            (i for i in staying if i in near[index] and (not in_val(i) or in_val(index))),
            key=lambda other, index=index: (near[index][other], -staying.index(other)),
        )
        for index in range(len(rows))
    ]


def choose_component_keepers(
    rows: Sequence[Mapping[str, Any]], *, keep: str = "longest", val_shards: Collection[int] = ()
) -> list[int]:
    """Return the one of its cluster that each document goes for; in train one of train."""
    chosen = []
    for row in rows:
        members = [i for i, other in enumerate(rows) if other["cluster"] == row["cluster"]]
        train = [i for i in members if rows[i]["shard"] not in val_shards]
        if row["shard"] not in val_shards:
            members = train
        longest = [i for i in members if rows[i]["keeper"] and keep == "longest"]
        chosen.append((longest or members)[0])
    return chosen


def _hold_out(
    rows: Sequence[Mapping[str, Any]],
    keepers: Sequence[int],
    clusters: Sequence[int],
    seed: int,
    val_share: float,
    val_tokens: int | None,
) -> set[int]:
    draws, tokens = {}, {}
    for label in clusters:
        members = [index for index, own in enumerate(clusters) if own == label]
        smallest = min(rows[index]["content_hash"] for index in members)
        if rows[members[0]]["bytes"]:
            draws[label] = xxhash.xxh3_64_intdigest(struct.pack("<q", seed) + smallest) / 2**64
            tokens[label] = sum(rows[i]["tokens"] for i in members if keepers[i] == i)
    if val_tokens is None:
        return {label for label, draw in draws.items() if draw < val_share}
    chosen: set[int] = set()
    for label in sorted(draws, key=lambda label: draws[label]):
        if sum(tokens[other] for other in chosen) < val_tokens:
            chosen.add(label)
    return chosen


def _drop_repeats(
    rows: Sequence[Mapping[str, Any]],
    keepers: Sequence[int],
    drop: Collection[str],
    fates: list[tuple[str, int]],
) -> None:
    """Drop what repeats another training document, in place."""
    train = [index for index, fate in enumerate(fates) if fate[0] == "train"]
    train.sort(key=lambda index: (keepers[index] != index, index))
    text = {index: rows[index]["content_hash"] for index in range(len(rows))}
    for index in train:
        first = next(other for other in train if text[other] == text[index])
        if "near" in drop and text[index] != text[keepers[index]]:
            fates[index] = ("near", keepers[index])
        elif "exact" in drop and first != index and rows[index]["bytes"]:
            fates[index] = ("exact", first)
        elif "empty" in drop and not rows[index]["tokens"]:
            fates[index] = ("empty", -1)


def bin_bytes(documents: Iterable[Sequence[int]], end_of_text: int) -> bytes:
    """Return a nanoGPT bin: each id as two bytes, the lower first, end-of-text after each."""
    return b"".join(struct.pack(f"<{len(ids) + 1}H", *ids, end_of_text) for ids in documents)
