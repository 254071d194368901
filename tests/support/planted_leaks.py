"""Validation documents of 200 words and more, planted in training documents in eight ways.

`python -m tests.support.planted_leaks` audits a thousand of each kind and prints, by kind and
length, how many are found, beside what theory says of as many substituted words.
"""

import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from assay.audit.run import audit_shards
from assay.formats.audit import Audit
from tests.support.make import write_shard

N = 13
KINDS = ("exact", "re-cased", "re-spaced", "2%", "5%", "20%", "60 words", "whole")
_VOCABULARY = [f"{head}{tail}" for head in "abcdefghijklmnop" for tail in range(500)]
_WEIGHTS = [1 / (rank + 20) for rank in range(len(_VOCABULARY))]  # some words are frequent


@dataclass(frozen=True)
class Planted:
    """Validation documents, and training documents of which the i-th has text of the i-th."""

    val: list[str]
    train: list[str]


def plant(kind: str, number: int, seed: int) -> Planted:
    """Plant `number` pairs of one kind, and as many training documents of nobody's text."""
    chance = random.Random(f"{seed} {kind}")
    val = [draw(chance, chance.choice([200, 300, 600])) for _ in range(number)]
    train = [_alter(kind, words, chance) for words in val]
    train += [draw(chance, chance.randint(200, 400)) for _ in range(number)]
    space = (lambda: chance.choice([" ", "\n", "  ", " - ", ", "])) if kind == "re-spaced" else None
    return Planted([" ".join(words) for words in val], [join(words, space) for words in train])


def draw(chance: random.Random, number: int) -> list[str]:
    """Draw words."""
    return chance.choices(_VOCABULARY, _WEIGHTS, k=number)


def join(words: list[str], space: object) -> str:
    """Put words one after another."""
    if not callable(space):
        return " ".join(words)
    return "".join(word + space() for word in words)


def _alter(kind: str, words: list[str], chance: random.Random) -> list[str]:
    if kind.endswith("%"):
        places = chance.sample(range(len(words)), len(words) * int(kind[:-1]) // 100)
        return [f"new{place}x{chance.random()}"[:12].replace(".", "") if place in places else word
                for place, word in enumerate(words)]  # fmt: skip
    if kind == "re-cased":
        return [chance.choice([str.upper, str.title, str.lower])(word) for word in words]
    if kind == "60 words":
        at = chance.randint(0, len(words) - 60)
        return [*draw(chance, chance.randint(100, 300)), *words[at : at + 60], *draw(chance, 150)]
    if kind == "whole":
        return [*draw(chance, chance.randint(200, 600)), *words, *draw(chance, 300)]
    return words


def audit_planted(folder: Path, planted: Planted) -> Audit:
    """Audit what was planted."""
    write_shard(folder / "train.parquet", planted.train, row_group_size=700)
    write_shard(folder / "val.parquet", planted.val, row_group_size=300)
    return audit_shards(folder / "train.parquet", folder / "audit", val=folder / "val.parquet")


def list_ngrams(text: str) -> list[str]:
    """Return the n-grams of a text whose words are letters and digits of ASCII alone."""
    words = text.lower().replace(",", " ").replace(" - ", " ").split()
    return [" ".join(words[at : at + N]) for at in range(len(words) - N + 1)]


def main() -> None:
    """Print the table."""
    rows = []
    for kind in KINDS:
        planted = plant(kind, 1_000, 1)
        with tempfile.TemporaryDirectory() as folder:
            found = audit_planted(Path(folder), planted)
            leaks, spans = found.read("leaks"), found.read("spans")
        pairs = spans.filter(pl.col("val_row") == pl.col("train_row"))
        coverage = dict(pairs.select("val_row", "coverage").unique().rows())
        tiers = dict(leaks.select("val_row", "tier").rows())
        share = 1 - int(kind[:-1]) / 100 if kind.endswith("%") else None
        for length in (200, 300, 600):
            own = [row for row, text in enumerate(planted.val) if len(text.split()) == length]
            there = [tiers.get(row, "span" if row in coverage else "none") for row in own]
            mean = sum(coverage.get(row, 0.0) for row in own) / len(own)
            theory = 48 / (length - N + 1) if kind == "60 words" else 1.0
            counts = {tier: there.count(tier) for tier in dict.fromkeys(sorted(there))}
            rows.append((kind, length, len(own), counts, f"{mean:.3f}",
                         f"{theory if share is None else share**N:.3f}"))  # fmt: skip
    print("kind | words | documents | tiers | mean coverage | by theory")
    for row in rows:
        print(" | ".join(map(str, row)))


if __name__ == "__main__":
    main()
