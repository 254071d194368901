"""Slow, readable twins of the fast code, for tests to compare it with."""

import math
import random
import re
import string
import struct
import unicodedata
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from datasketch import MinHash

# --- Audit: words, shingles, signatures, pairs, clusters ---------------------------------------

# Blocks of Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar, as Unicode's Blocks.txt has them.
LONE_BLOCKS = re.compile(
    "[\u2e80-\u2fdf\u3000-\u303f\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U0001aff0-\U0001afff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
    "\u0e00-\u0e7f\u0e80-\u0eff\u1780-\u17ff\u19e0-\u19ff"
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f\U000116d0-\U000116ff]"
)


def words(text: str) -> list[str]:
    """Return the words of a text: runs of letters, numbers, marks and `_`, lower-cased.

    Each character of a script that is written without spaces is a word.
    """
    found = [""]
    for char in "".join(char.lower() for char in text):
        is_word = char == "_" or unicodedata.category(char)[0] in "LNM"
        if is_word and not LONE_BLOCKS.match(char):
            found[-1] += char
        else:
            found += [char, ""] if is_word else [""]
    return [word for word in found if word]


def shingles(text: str, num_words: int = 5) -> list[tuple[str, ...]]:
    """Return each run of consecutive words, in order; a short text has one run, of all of them."""
    return runs(words(text), num_words)


def letters(text: str) -> str:
    """Return a text lower-cased, without ASCII punctuation, its white space single and inside."""
    lowered = "".join(char.lower() for char in text)
    bare = lowered.translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\s+", " ", bare.strip())


def units(text: str, unit: str) -> Sequence[str]:
    """Return what shingles are made of: words, letters, or characters as they stand."""
    return {"words": words, "letters": letters, "characters": str}[unit](text)


def runs(found: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Return each run of consecutive units; fewer than `length` make one run, of all of them."""
    if not found:
        return []
    last = max(len(found) - length, 0)
    return [tuple(found[start : start + length]) for start in range(last + 1)]


def jaccard(a: Collection[Hashable], b: Collection[Hashable]) -> float:
    """Return the share of all members that both have; 0 for two empty sets."""
    either = set(a) | set(b)
    return len(set(a) & set(b)) / len(either) if either else 0.0


def signature(shingle_hashes: Iterable[int], num_perm: int = 128) -> np.ndarray:
    """Sign 64-bit shingles by datasketch, from their upper 32 bits."""
    minhash = MinHash(num_perm=num_perm, seed=1, hashfunc=int, scheme="affine32")
    minhash.update_batch([int(value) >> 32 for value in shingle_hashes])
    return minhash.hashvalues


def wide_signature(shingle_hashes: Iterable[int], num_perm: int) -> np.ndarray:
    """Sign 64-bit shingles by datasketch, all of their bits."""
    minhash = MinHash(num_perm=num_perm, seed=1, hashfunc=int, scheme="affine64")
    minhash.update_batch([int(value) for value in shingle_hashes])
    return minhash.hashvalues


def finish_64(value: int) -> int:
    """Spread 64 bits by MurmurHash3's fmix64."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor % 2**64
    return value ^ value >> 33


def fast_similarity(shingle_hashes: Collection[int]) -> list[int]:
    """Sign 64-bit shingles by Fast Similarity Sketching as defined, all 256 rounds of 128 slots."""
    slots = [2**32 - 1] * 128
    for number in range(256):
        multiplier = finish_64(number * 0x9E3779B97F4A7C15 % 2**64) | 1 if number else 1
        for shingle in shingle_hashes:
            hashed = shingle * multiplier % 2**64
            slot = hashed >> 57 if number < 128 else number - 128
            slots[slot] = min(slots[slot], number << 24 | hashed >> 33 & 0xFFFFFF)
    return slots


def exhaustive_pairs(texts: Sequence[str], threshold: float) -> dict[tuple[int, int], float]:
    """Return every pair (smaller index first) whose Jaccard is at least `threshold`, above 0.

    Counts shared shingles through an inverted index: feasible for a few thousand texts.
    """
    sets = [set(shingles(text)) for text in texts]
    holders: dict[tuple[str, ...], list[int]] = {}
    pairs = {}
    for index, own in enumerate(sets):
        shared: Counter[int] = Counter()
        for shingle in own:
            shared.update(holders.get(shingle, ()))
            holders.setdefault(shingle, []).append(index)
        for other, count in shared.items():
            value = count / (len(own) + len(sets[other]) - count)
            if value >= threshold:
                pairs[other, index] = value
    return pairs


def clusters(num_documents: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return for each document the smallest index that pairs lead to."""
    neighbours: list[set[int]] = [{index} for index in range(num_documents)]
    for a, b in pairs:
        neighbours[a].add(b)
        neighbours[b].add(a)
    labels = [-1] * num_documents
    for start in range(num_documents):
        reached = [start] if labels[start] < 0 else []
        while reached:
            index = reached.pop()
            if labels[index] < 0:
                labels[index] = start
                reached += neighbours[index]
    return labels


# --- Train: the difference of two arms ----------------------------------------------------------


def document_variance(changes: Sequence[float], sizes: Sequence[float]) -> float:
    """Return the variance of sum(changes) / sum(sizes) over the draw of documents.

    A ratio estimator, by its definition: the spread of what is left of each document's change
    when its share of the whole is taken off.
    """
    number = len(changes)
    ratio = sum(changes) / sum(sizes)
    mean_size = sum(sizes) / number
    squares = [(change - ratio * size) ** 2 for change, size in zip(changes, sizes, strict=True)]
    return sum(squares) / (number - 1) / number / mean_size**2


def pigeonhole(
    nats_a: Sequence[Sequence[float]],
    nats_b: Sequence[Sequence[float]],
    sizes: Sequence[float],
    rounds: int,
    seed: int,
) -> list[float]:
    """Draw seeds of each arm and documents anew, with replacement, one value after the other."""
    draw = random.Random(seed)
    values = []
    for _ in range(rounds):
        documents = [draw.randrange(len(sizes)) for _ in sizes]
        size = sum(sizes[j] for j in documents)
        means = []
        for nats in (nats_a, nats_b):
            runs = [draw.randrange(len(nats)) for _ in nats]
            means.append(sum(nats[run][j] for run in runs for j in documents) / len(runs) / size)
        values.append(means[1] - means[0])
    return values


def holm(chances: Sequence[float], alpha: float) -> list[bool]:
    """Return which claims Holm's procedure lets stand, by adjusted p-values.

    The adjusted p of the i-th smallest is the largest of (k - j + 1) p_j over j up to i.
    """
    ordered = sorted(range(len(chances)), key=chances.__getitem__)
    stands, largest = [False] * len(chances), 0.0
    for rank, place in enumerate(ordered):
        largest = max(largest, (len(chances) - rank) * chances[place])
        stands[place] = largest < alpha
    return stands


# --- Prepare: the fate of documents, their order, the bytes of a bin ----------------------------


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


# --- Diagnose: schedules, laws, the robust fit, the slope -----------------------------------------


def cosine_rate(step: int, peak: float, floor: float, warmup: int, end: int) -> float:
    """Return nanoGPT's learning rate at a step."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step > end:
        return floor
    done = (step - warmup) / (end - warmup)
    return floor + 0.5 * (1 + math.cos(math.pi * done)) * (peak - floor)


def annealing_sums(rates: Sequence[float], decay: float) -> tuple[list[float], list[float]]:
    """Return S1 and S2 at each step, S2 by its double sum; rises before the peak are no falls."""
    peak = max(rates)
    top = list(rates).index(peak)
    first, second = [], []
    for t in range(len(rates)):
        first.append(sum(rates[: t + 1]) / peak)
        total = 0.0
        for i in range(top + 1, t + 1):
            for k in range(top + 1, i + 1):
                total += (rates[k - 1] - rates[k]) * decay ** (i - k)
        second.append(total / peak)
    return first, second


def multi_power_gain(
    rates: Sequence[float], speed: float, beta: float, gamma: float
) -> list[float]:
    """Return the multi-power law's gain at each step, one fall of the rate at a time."""
    top = list(rates).index(max(rates))
    gains = []
    for t in range(len(rates)):
        gain = 0.0
        for k in range(top + 1, t + 1):
            since = sum(rates[k : t + 1])
            arrived = 1 - (1 + speed * rates[k] ** -gamma * since) ** -beta
            gain += (rates[k - 1] - rates[k]) * arrived
        gains.append(gain)
    return gains


def sum_correlated(values: Sequence[float], correlation: float) -> float:
    """Return the sum over all i and j of values[i] * values[j] * correlation^|i - j|."""
    return sum(
        a * b * (correlation ** abs(i - j) if i != j else 1.0)
        for i, a in enumerate(values)
        for j, b in enumerate(values)
    )


def soft_l1_cost(
    constants: Sequence[float],
    spent: Sequence[float],
    annealed: Sequence[float],
    loss: Sequence[float],
    *,
    noise: float,
    misfit: float,
    exponent: tuple[float, float],
    gain: tuple[float, float],
) -> float:
    """Return what the fit minimises, for (floor, scale, exponent, gain); priors as (centre, sd)."""
    floor, scale, power, worth = constants
    cost = 0.0
    for s, a, found in zip(spent, annealed, loss, strict=True):
        rest = found - (floor + scale * s**-power - worth * a)
        cost += 2 * (math.sqrt(1 + rest**2 / (noise**2 + misfit**2)) - 1)
    dense = max(1.0, len(loss) / 10)
    cost *= (noise**2 + misfit**2) / (noise**2 + misfit**2 * dense)
    return cost + ((power - exponent[0]) / exponent[1]) ** 2 + ((worth - gain[0]) / gain[1]) ** 2


def keep_last_slowly(steps: list[int]) -> list[int]:
    """Return the places of the steps that no later one goes back behind, or repeats."""
    return [i for i, step in enumerate(steps) if all(step < later for later in steps[i + 1 :])]


def read_nanogpt_slowly(path: Path) -> dict[str, list[tuple[int, float]]]:
    """Read nanoGPT's losses line by line; the curves of `assay.diagnose.logs`."""
    found: dict[str, list[tuple[int, float]]] = {"train": [], "val": [], "batch": []}
    for line in path.read_text().split("\n"):
        step = re.search(r"\bstep (\d+): train loss (\d+\.\d+|nan), val loss (\d+\.\d+|nan)", line)
        if step:
            found["train"].append((int(step[1]), float(step[2])))
            found["val"].append((int(step[1]), float(step[3])))
        batch = re.search(r"\biter (\d+): loss (\d+\.\d+|nan)", line)
        if batch:
            found["batch"].append((int(batch[1]), float(batch[2])))
    return {kind: _order_slowly(rows) for kind, rows in found.items()}


def _order_slowly(rows: list[tuple[int, float]]) -> list[tuple[int, float]]:
    steps = [step for step, _ in rows]
    returns = sum(b < a for a, b in pairwise(steps))
    if returns > max(3, min(20, 0.2 * len(rows)), 0.05 * len(rows)):
        kept = sorted(dict(rows).items())
    else:
        kept = [rows[i] for i in keep_last_slowly(steps)]
    return [(step, value) for step, value in kept if math.isfinite(value)]


def probe_effect(
    plus: Sequence[Sequence[float]],
    minus: Sequence[Sequence[float]],
    spread: Sequence[Sequence[float]],
    factor: float,
    tokens: Sequence[int],
) -> tuple[float, float]:
    """A contrast of a probe and its variance: documents' losses by order, plus - minus.

    `spread` are two rows of losses by order whose pooled variance, `factor` times, over the
    number of orders is the orders' part.
    """
    orders, total = len(plus), sum(tokens)
    changes = [
        sum(plus[s][j] - minus[s][j] for s in range(orders)) / orders for j in range(len(tokens))
    ]
    pooled = 0.0
    for row in spread:
        mean = sum(row) / orders
        pooled += sum((loss - mean) ** 2 for loss in row) / (2 * (orders - 1))
    variance = factor * pooled / orders + document_variance(changes, tokens)
    return sum(changes) / total, variance
