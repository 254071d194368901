"""Audits of bins as other programs write them give the numbers of the parquet they came from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.audit.run import audit_shards
from assay.corpus.tokenizer import Tokenizer
from assay.errors import InputError, IntegrityError, ShardError, UsageError
from assay.formats.audit import Audit
from assay.formats.audit_totals import AuditTotals
from assay.prepare.run import plan_bins, prepare_bins
from tests.support import bin_writers as write
from tests.support.bin_writers import END
from tests.support.make import make_corpus, write_shard

# Audited bins begin and end with a text, so that no reading of the marks changes their number.
TRAIN = ["the first document", *make_corpus(50, 1), "the last document of all"]
VAL = ["a first one", *TRAIN[5:9], *make_corpus(8, 2), "a last one"]
Ids = list[list[int]]
PLAN = "--params 1M --batch-tokens 1000 --iters 5"


def write_two(
    folder: Path, name: str, one: Callable[[Path, Ids], object], train: Ids, val: Ids
) -> None:
    for split, documents in (("train", train), ("val", val)):
        one(folder / name.format(split), documents)


LAYOUTS: dict[str, tuple[str, Callable[[Path, Ids], object]]] = {
    "nanogpt": ("{}.bin", write.write_nanogpt),
    "uint32": ("{}.bin", lambda path, docs: write.write_nanogpt(path, docs, "I")),
    "int64": ("{}.bin", lambda path, docs: write.write_nanogpt(path, docs, "q")),
    "llm.c": (
        "fineweb_{}_000001.bin",
        lambda path, docs: write.write_llmc(path, write.before_each(docs)),
    ),
    "build-nanogpt": ("edufineweb_{}_000001.npy", write.write_build_nanogpt),
    "datatrove": ("{}_00000_shuffled.ds", write.write_datatrove),
    "datatrove-4": ("{}.ds", lambda path, docs: write.write_datatrove(path, docs, 4)),
    "megatron": ("{}_text_document.bin", write.write_megatron),
    "megatron-4": ("{}.bin", lambda path, docs: write.write_megatron(path, docs, 4)),
    "megatron-no-eod": ("{}.bin", lambda path, docs: write.write_megatron(path, docs, ends=False)),
}


@pytest.fixture(scope="module")
def ids(gpt2: Tokenizer) -> tuple[Ids, Ids]:
    """Ids of both splits."""
    train, val = (
        [gpt2.encode_reference(text.encode()).tolist() for text in texts] for texts in (TRAIN, VAL)
    )
    return train, val


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """The audit of the texts themselves."""
    folder = tmp_path_factory.mktemp("texts")
    train, val = write_shard(folder / "a.parquet", TRAIN), write_shard(folder / "b.parquet", VAL)
    return audit_shards(train, folder / "audit", val=val, threads=1)


def describe(totals: AuditTotals) -> dict[str, object]:
    """All that does not depend on how the texts were stored."""
    unlike = ("shards", "tokenizer_check", "checksums", "told_by_name", "left_out")
    return {name: getattr(totals, name) for name in totals.__struct_fields__ if name not in unlike}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_the_numbers_of_the_texts(
    tmp_path: Path, ids: tuple[Ids, Ids], expected: Audit, layout: str
) -> None:
    (tmp_path / "bins").mkdir()
    write_two(tmp_path / "bins", *LAYOUTS[layout], *ids)

    audit = audit_shards(tmp_path / "bins", tmp_path / "audit", threads=1)

    assert describe(audit.totals) == describe(expected.totals)
    for table in ("documents", "pairs", "leaks"):
        assert audit.read(table).drop("^.*id.*$").equals(expected.read(table).drop("^.*id.*$"))
    levels = {found.name: found.level for found in audit.read_findings()}
    assert levels["integrity"] == "unmeasured"
    assert levels["leak"] == "high"


@pytest.mark.parametrize("layout", ["uint32", "int64", "llm.c", "build-nanogpt", "megatron-4"])
@pytest.mark.parametrize("keep", [True, False])
def test_prepared_ids_are_those_of_the_bins(
    tmp_path: Path, ids: tuple[Ids, Ids], layout: str, keep: bool
) -> None:
    """With kept ids, and read again where none were kept."""
    (tmp_path / "bins").mkdir()
    write_two(tmp_path / "bins", *LAYOUTS[layout], *ids)
    audit = audit_shards(tmp_path / "bins", tmp_path / "audit", keep_tokens=keep, threads=1)

    made = prepare_bins(audit, tmp_path / "made", drop="none", threads=1)

    for split, documents in zip(("train", "val"), ids, strict=True):
        found = made.map_ids(split)
        cuts = np.flatnonzero(found == END)
        parts = [part[part != END].tolist() for part in np.split(found, cuts + 1)[:-1]]
        assert sorted(parts) == sorted(documents)


def test_characters_are_decoded_and_no_documents(tmp_path: Path) -> None:
    folder = tmp_path / "char"
    folder.mkdir()
    write.write_characters(folder, "First Citizen:\nBefore we\n" * 50, "Speak, speak.\n" * 30)

    audit = audit_shards(folder, tmp_path / "audit", threads=1, plan=PLAN)

    totals = audit.totals
    assert (totals.train.tokens, totals.val.tokens) == (50 * 25, 30 * 14)
    assert totals.bytes == totals.tokens
    assert totals.invalid_utf8 == 0
    assert totals.tokenizer_check.backend == "meta.pkl"
    findings = {found.name: found for found in audit.read_findings()}
    for name in ("leak", "exact", "near", "length", "unique_tokens", "giant_cluster", "short",
                 "near_recall", "near_uncompared", "candidates", "epochs", "budget"):  # fmt: skip
        assert findings[name].level == "unmeasured", name
        assert findings[name].value is None
        assert findings[name].sentence.startswith("not measured: "), name
    assert "ids stand for 22 characters" in findings["leak"].sentence
    # The same call opens it.
    again = audit_shards(folder, tmp_path / "audit", threads=1, plan=PLAN)
    assert again.totals == totals
    for plan in (lambda: plan_bins(audit), lambda: prepare_bins(audit, tmp_path / "bins")):
        with pytest.raises(UsageError, match="documents of 2 shards cannot be told apart"):
            plan()
    assert not (tmp_path / "bins").exists()


def test_lines_of_characters_are_documents_where_asked(tmp_path: Path) -> None:
    folder = tmp_path / "char"
    folder.mkdir()
    lines = [f"line number {number} of the play" for number in range(40)]
    train, val = "\n".join([*lines, lines[3]]) + "\n", "\n".join([lines[7], "an other"]) + "\n"
    write.write_characters(folder, train, val)

    audit = audit_shards(folder, tmp_path / "audit", end_of_text=0, threads=1)

    assert (audit.totals.train.documents, audit.totals.val.documents) == (41, 2)
    assert audit.totals.leaks.exact == 1
    made = prepare_bins(audit, tmp_path / "bins", drop="none", threads=1)
    characters = sorted(set(train + val))
    text = "".join(characters[number] for number in made.map_ids("train").tolist())
    assert sorted(text.split("\n")) == sorted(train.split("\n"))
    assert (made.vocab_size, made.end_of_text) == (len(characters), 0)


def test_bins_without_end_of_text_are_counted_and_no_more(
    tmp_path: Path, ids: tuple[Ids, Ids], monkeypatch: pytest.MonkeyPatch
) -> None:
    for split, documents in zip(("train", "val"), ids, strict=True):
        flat = [number for document in documents for number in document]
        write.write_shakespeare(tmp_path / f"{split}.bin", flat)
    whole = audit_shards(
        [tmp_path / "train.bin"], tmp_path / "whole", val=[tmp_path / "val.bin"], threads=1
    )
    monkeypatch.setattr("assay.corpus.bins.spans._BLOCK_IDS", 100)
    cut = audit_shards(
        [tmp_path / "train.bin"], tmp_path / "cut", val=[tmp_path / "val.bin"], threads=1
    )

    assert (whole.totals.documents, cut.totals.documents > 20) == (2, True)
    for audit in (whole, cut):
        totals = audit.totals
        assert totals.train.tokens == sum(map(len, ids[0]))
        assert totals.bytes == sum(len(text.encode()) for text in (*TRAIN, *VAL))
        assert totals.invalid_utf8 == 0
        assert [shard.undivided for shard in totals.shards] == [True, True]
        assert len(totals.undivided or ()) == 2
        assert "documents not told apart" in repr(audit)
        with pytest.raises(UsageError, match="cannot be told apart"):
            prepare_bins(audit, tmp_path / "bins", drop="none")


def test_one_shard_without_documents_leaves_none_measured(
    tmp_path: Path, ids: tuple[Ids, Ids]
) -> None:
    write.write_nanogpt(tmp_path / "a.bin", ids[0])
    write.write_shakespeare(tmp_path / "b.bin", ids[1][2])

    audit = audit_shards([tmp_path / "a.bin", tmp_path / "b.bin"], tmp_path / "audit", threads=1)

    assert [shard.undivided for shard in audit.totals.shards] == [False, True]
    levels = {found.name: found.level for found in audit.read_findings()}
    assert levels["exact"] == levels["near"] == levels["unique_tokens"] == "unmeasured"


def test_settings_of_bins_make_another_audit(
    tmp_path: Path, ids: tuple[Ids, Ids], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write.write_nanogpt(tmp_path / "a.bin", ids[0], "I")
    first = audit_shards(path, tmp_path / "audit", threads=1)
    assert not {"dtype", "end_of_text", "beside"} & first.manifest.settings.keys()
    assert first.manifest.settings["tokenizer"] == "gpt2"

    assert capsys.readouterr().err == ""
    with pytest.raises(UsageError, match="dtype"):
        audit_shards(path, tmp_path / "audit", threads=1, dtype="uint32")
    other = audit_shards(
        path, tmp_path / "other", threads=1, dtype="uint32", end_of_text=2, quiet=False
    )
    assert "end-of-text is 2, that of gpt2 is 50,256: if another" in capsys.readouterr().err
    assert (other.manifest.settings["dtype"], other.manifest.settings["end_of_text"]) == (
        "uint32",
        2,
    )
    assert other.manifest.tokenizer is not None
    assert first.manifest.tokenizer is not None
    assert other.manifest.tokenizer["fingerprint"] != first.manifest.tokenizer["fingerprint"]


def test_an_index_is_part_of_what_was_audited(tmp_path: Path, ids: tuple[Ids, Ids]) -> None:
    path = write.write_megatron(tmp_path / "a.bin", ids[0], ends=False)
    audit = audit_shards(path, tmp_path / "audit", keep_tokens=False, threads=1)
    assert list(audit.manifest.settings["beside"]) == [str(tmp_path / "a.idx")]

    joined = [ids[0][0] + ids[0][1], *ids[0][2:]]
    write.write_megatron(path, joined, ends=False)
    with pytest.raises(UsageError, match="with other settings"):
        audit_shards(path, tmp_path / "audit", keep_tokens=False, threads=1)
    with pytest.raises(IntegrityError, match=r"a\.idx is not the file that was audited"):
        prepare_bins(audit, tmp_path / "bins", val_share=0.5, threads=1)


@pytest.mark.parametrize(
    ("settings", "error", "reason"),
    [
        ({"dtype": "float32"}, UsageError, "dtype must be one of uint8, uint16"),
        ({"end_of_text": 50_257}, UsageError, "end_of_text must be one of gpt2's 50,257 ids"),
        ({"dtype": "int64"}, ShardError, "none of the 50,257 of gpt2|no multiple of the 8"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    tmp_path: Path,
    ids: tuple[Ids, Ids],
    settings: dict[str, object],
    error: type[Exception],
    reason: str,
) -> None:
    path = write.write_nanogpt(tmp_path / "a.bin", ids[0])

    with pytest.raises(error, match=reason):
        audit_shards(path, tmp_path / "audit", threads=1, **settings)


def test_end_of_text_is_of_bins_alone(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", ["a text"])

    with pytest.raises(UsageError, match=r"end_of_text is of bins; .*a\.parquet has documents"):
        audit_shards(path, tmp_path / "audit", threads=1, end_of_text=2)


def test_characters_and_other_ids_are_not_audited_together(
    tmp_path: Path, ids: tuple[Ids, Ids]
) -> None:
    folder = tmp_path / "char"
    folder.mkdir()
    write.write_characters(folder, "some text", "text")
    other = write.write_nanogpt(tmp_path / "a.bin", ids[0])

    with pytest.raises(UsageError, match=r"a\.bin holds none; audit them apart"):
        audit_shards([folder / "train.bin", other], tmp_path / "audit", threads=1)
    # A tokenizer that is named stands, whatever lies beside the bins.
    with pytest.raises(UsageError, match="cannot be told apart"):
        named = audit_shards(folder, tmp_path / "audit", tokenizer="gpt2", threads=1)
        assert named.totals.tokens == len("some text" + "text")
        prepare_bins(named, tmp_path / "bins")


def test_a_meta_pickle_of_another_size_is_refused_and_a_bad_one_said(
    tmp_path: Path, ids: tuple[Ids, Ids], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write.write_nanogpt(tmp_path / "a.bin", ids[0])
    (tmp_path / "meta.pkl").write_bytes(b"\x80\x04}\x8c\nvocab_sizeM\x00\x7ds.")
    with pytest.raises(InputError, match=r"meta\.pkl says 32,000 ids, gpt2 has 50,257"):
        audit_shards(path, tmp_path / "audit", threads=1)

    (tmp_path / "meta.pkl").write_bytes(b"\x80\x04}\x8c\nvocab_sizeJ\x80\xc4\x00\x00s.")
    padded = audit_shards(path, tmp_path / "padded", threads=1)  # 50,304
    (tmp_path / "meta.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    capsys.readouterr()
    bad = audit_shards(path, tmp_path / "bad", threads=1, quiet=False)

    assert bad.totals == padded.totals
    assert "more than plain values (instruction GLOBAL)" in capsys.readouterr().err
