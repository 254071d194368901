"""Made texts that near duplicates link: chains, stars, templates, families of them."""

import random
from collections.abc import Sequence
from pathlib import Path

from assay.formats.audit import Audit
from tests.twins import audit as reference
from tests.twins import prepare as twin


def make_chain(number: int, tag: str = "w", words: int = 300, step: int = 8) -> list[str]:
    """Make texts of which each begins `step` words after the one before: neighbours are alike."""
    stream = [f"{tag}{place}" for place in range(number * step + words)]
    return [" ".join(stream[step * i : step * i + words]) for i in range(number)]


def make_star(number: int, tag: str = "s", words: int = 60) -> list[str]:
    """Make a text and copies with a word of their own: near it, and not each other."""
    base = [f"{tag}{place}" for place in range(words)]
    texts = [" ".join([*base, "centre"])]
    for index in range(number):
        place = 5 + index * 7 % (words - 10)
        texts.append(" ".join([*base[:place], f"{tag}own{index}", *base[place + 1 :]]))
    return texts


def make_families(number: int, seed: int, words: int = 60, families: int = 8) -> list[str]:
    """Make texts of one template: each with a word of its own, families with more at the end."""
    chance = random.Random(seed)
    base = [f"t{place}" for place in range(words)]
    texts = [" ".join(base)]
    for index in range(number - 1):
        body = list(base)
        body[chance.randrange(words)] = f"own{index}"
        body += [f"f{place}" for place in range(3 * chance.randrange(families))]
        texts.append(" ".join(body))
    return texts


def vary_texts(texts: Sequence[str], seed: int) -> list[str]:
    """Add exact copies, and texts of equal shingles; and shuffle."""
    chance = random.Random(seed)
    copies = chance.sample(list(texts), len(texts) // 5)
    spaced = [text.replace(" ", "  ", 3) for text in chance.sample(list(texts), len(texts) // 5)]
    mixed = [*texts, *copies, *spaced, "", "short text"]
    chance.shuffle(mixed)
    return mixed


def find_keepers(audit: Audit, texts: Sequence[str], keep: str = "longest") -> list[int]:
    """Compare all texts with each other; return for each the one that it goes for, or itself."""
    rows = audit.read("documents").to_dicts()
    pairs = reference.exhaustive_pairs(texts, audit.totals.lsh.threshold)
    first: dict[str, list[int]] = {}
    for index, text in enumerate(texts):
        pairs |= {(other, index): 1.0 for other in first.get(text, ()) if text}
        first.setdefault(text, []).append(index)
    val = {row["shard"] for row in rows if row["split"] == "val"}
    return twin.choose_keepers(rows, pairs, keep=keep, val_shards=val)


def read_keepers(audit: Audit) -> list[int]:
    """Return for each document of an audit the position of the one that it goes for."""
    rows = audit.read("documents").to_dicts()
    place = {(row["shard"], row["row"]): index for index, row in enumerate(rows)}
    return [
        index if row["keeper"] else place[row["because_shard"], row["because_row"]]
        for index, row in enumerate(rows)
    ]


def list_files(folder: Path) -> dict[str, bytes]:
    """Return the files of an audit by name, but for its manifest."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files
        if path.name != "manifest.json"
    }
