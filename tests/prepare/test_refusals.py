"""What is not prepared: options, audits, shards and tokenizers that do not fit."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiktoken.registry

from assay.audit.run import audit_shards
from assay.audit.scan.settings import AuditSettings
from assay.corpus.tokenizer import Tokenizer
from assay.errors import InputError, IntegrityError, UsageError
from assay.formats.audit import open_audit
from assay.prepare.run import prepare_bins
from tests.support.make import make_corpus, make_texts, write_shard


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"val_share": 0.0}, "val_share must be between 0 and 1, got 0"),
        ({"val_share": 1.0}, "val_share must be between 0 and 1, got 1"),
        ({"val_share": 0.1, "val_tokens": 5}, "choose one of"),
        ({"val_tokens": 0}, "val_tokens must be at least 1, got 0"),
        ({"drop": "everything"}, "drop must be none, or some of .*, got 'everything'"),
        ({"keep": "shortest"}, "keep must be one of longest, first, got 'shortest'"),
        ({"seed": 2**63}, "seed must be a 64-bit integer, got 9223372036854775808"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    audited: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        prepare_bins(audited, tmp_path / "bins", **options)
    assert os.listdir(tmp_path) == []


def test_nothing_left_to_train_on_is_an_input_error(audited: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no document is left to train on"):
        prepare_bins(audited, tmp_path / "bins", val_share=None, val_tokens=10**9)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["documents.parquet", "pairs.parquet", "tokens/00000.bin", "tokens/00001.bin"]
)
def test_an_altered_audit_is_not_prepared(audited: Path, tmp_path: Path, name: str) -> None:
    audit = tmp_path / "audit"
    shutil.copytree(audited, audit)
    data = bytearray((audit / name).read_bytes())
    data[len(data) // 2] ^= 1
    (audit / name).write_bytes(data)

    with pytest.raises(IntegrityError, match=f"{name} has sha256"):
        prepare_bins(audit, tmp_path / "bins")
    assert os.listdir(tmp_path) == ["audit"]


def test_another_tokenizer_of_the_same_name_is_refused(audited: Path, tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    shutil.copytree(audited, audit)
    text = (audit / "manifest.json").read_text()
    fingerprint = (open_audit(audit).manifest.tokenizer or {})["fingerprint"]
    (audit / "manifest.json").write_text(text.replace(fingerprint, "0" * 64))

    with pytest.raises(IntegrityError, match="tokenized by another gpt2"):
        prepare_bins(audit, tmp_path / "bins")


def test_a_shard_that_changed_since_its_audit_is_refused(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", make_corpus(30))
    audit_shards([path], tmp_path / "audit", keep_tokens=False)
    write_shard(path, make_corpus(30, seed=1))

    with pytest.raises(IntegrityError, match="it was audited as"):
        prepare_bins(tmp_path / "audit", tmp_path / "bins")
    path.unlink()
    with pytest.raises(UsageError, match="no shard at"):
        prepare_bins(tmp_path / "audit", tmp_path / "bins")
    assert os.listdir(tmp_path) == ["audit"]


@pytest.fixture
def large_vocabulary(monkeypatch: pytest.MonkeyPatch, gpt2: Tokenizer) -> str:
    """An encoding of tiktoken's with 70,000 ids, some of which English uses."""
    ranks = dict(gpt2.encoding._mergeable_ranks)
    frequent = [b" the", b" of", b" was"]
    for number in range(70_000 - 1 - len(ranks)):
        ranks[b"\xff\xfe" + number.to_bytes(2, "little")] = len(ranks)
    for number, word in enumerate(frequent):  # ids above 65,535 for common words
        swapped = b"\xff\xfe" + (69_000 - 50_256 + number).to_bytes(2, "little")
        ranks[word], ranks[swapped] = ranks[swapped], ranks[word]
    tiktoken.list_encoding_names()
    facts = {
        "name": "large",
        "pat_str": gpt2.encoding._pat_str,
        "mergeable_ranks": ranks,
        "special_tokens": {"<|endoftext|>": 69_999},
    }
    assert tiktoken.registry.ENCODING_CONSTRUCTORS is not None
    monkeypatch.setitem(tiktoken.registry.ENCODING_CONSTRUCTORS, "large", lambda: facts)
    return "large"


def test_a_vocabulary_too_large_for_uint16_is_audited_and_not_prepared(
    tmp_path: Path, large_vocabulary: str
) -> None:
    texts = make_texts(20, 5)
    write_shard(tmp_path / "a.parquet", texts)
    settings = AuditSettings(tokenizer=large_vocabulary)

    audit = audit_shards([tmp_path / "a.parquet"], tmp_path / "audit", settings=settings)

    encoding = tiktoken.get_encoding(large_vocabulary)
    expected = [token for text in texts for token in [*encoding.encode_ordinary(text), 69_999]]
    ids = audit.map_tokens(0)
    assert ids.dtype == np.uint32
    assert ids.tolist() == expected
    assert max(set(expected) - {69_999}) > 65_535
    with pytest.raises(UsageError, match=r"large, 70,000 ids; .*65,536"):
        prepare_bins(tmp_path / "audit", tmp_path / "bins")
    assert not (tmp_path / "bins").exists()
