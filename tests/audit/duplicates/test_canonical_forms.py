"""Texts that differ in Unicode's canonical form alone are near duplicates of Jaccard 1."""

import random
import unicodedata
from pathlib import Path

import polars as pl
import pytest

from assay.audit.run import audit_shards
from tests.support.make import write_shard

# Letters by script, as they are typed: whole, in parts, or with marks in another order than NFC's.
SCRIPTS = {
    "Korean": [chr(0xAC00 + 37 * step) for step in range(300)],
    "Japanese": [*"かがきぎくぐはばぱひびぴカガキギハバパ"],
    "Vietnamese": [*"ấầẩẫậắằẳẵặếềểễệốồổỗộớờởỡợứừửữựđhnt"],
    "Arabic": [*"آأؤإئابتجدرسل", "ل\u0651\u064e", "ر\u0651\u0650"],
    "Hindi": [*"कखगघमरलवसह", "\u0958", "\u0929", "\u092b\u093c", "ि", "्र"],
    "Bengali": [*"কখগঘমরলস", "\u09dc", "\u09af\u09bc", "কো", "কৌ"],
    "Tamil": [*"கஙசஞடணத", "கொ", "கோ", "கௌ"],
    "Greek": [*"άέήίόύώΐΰαβγδ", "ᾳ", "ῷ", "ὣ"],
    "Hebrew": [*"אבגדהו", "\ufb2c", "ש\u05bc\u05c1", "ל\u05b0\u05bc"],
    "signs": ["\u212b", "\u212a", "\u2126", "\u2260", "\u226f", "x", "y"],
}


def write_text(letters: list[str], seed: int) -> str:
    """Return 60 words, each of its own letters."""
    chance = random.Random(seed)
    return " ".join("".join(chance.choices(letters, k=chance.randrange(2, 7))) for _ in range(60))


def make_forms(letters: list[str], seed: int) -> list[str]:
    """Return a text as it was written, and the same in NFD."""
    text = write_text(letters, seed)
    apart = unicodedata.normalize("NFD", text)
    assert apart != text
    return [text, apart]


@pytest.mark.parametrize("preset", [None, "fineweb", "slimpajama"])
def test_copies_in_another_form_are_near_duplicates_of_jaccard_1(
    tmp_path: Path, preset: str | None
) -> None:
    texts = [form for seed, name in enumerate(SCRIPTS) for form in make_forms(SCRIPTS[name], seed)]
    shard = write_shard(tmp_path / "a.parquet", texts)

    audit = audit_shards([shard], tmp_path / "audit", preset=preset)

    pairs = pl.read_parquet(tmp_path / "audit" / "pairs.parquet")
    found = set(pairs.select("row_a", "row_b", "jaccard", "kind").iter_rows())
    assert found == {(row, row + 1, 1.0, "near") for row in range(0, len(texts), 2)}
    assert audit.totals.unique_tokens < audit.totals.tokens
    documents = pl.read_parquet(tmp_path / "audit" / "documents.parquet")
    assert documents["chars"].to_list() == [len(text) for text in texts]
    assert documents["words"].to_list()[::2] == documents["words"].to_list()[1::2]


def test_characters_as_they_stand_do_not_know_them(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", make_forms(SCRIPTS["Korean"], 1))

    audit_shards([shard], tmp_path / "audit", preset="nemo")

    assert pl.read_parquet(tmp_path / "audit" / "pairs.parquet").is_empty()


def test_a_validation_document_in_another_form_leaks(tmp_path: Path) -> None:
    forms = [make_forms(letters, seed) for seed, letters in enumerate(SCRIPTS.values())]
    train = write_shard(tmp_path / "a.parquet", [form[0] for form in forms])
    held = write_shard(tmp_path / "b.parquet", [form[1] for form in forms])

    audit_shards([train], tmp_path / "audit", val=[held])

    leaks = pl.read_parquet(tmp_path / "audit" / "leaks.parquet")
    named = set(leaks.select("val_row", "train_row", "tier", "jaccard").iter_rows())
    assert named == {(row, row, "near", 1.0) for row in range(len(forms))}
