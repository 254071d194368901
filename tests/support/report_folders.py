"""Small sealed folders of every kind, for tests of reports; any label in them may be hostile."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import xxhash

from assay.corpus.tokenizer import load_tokenizer
from assay.formats.audit import (
    CLUSTER_COLUMNS,
    DOCUMENT_COLUMNS,
    LEAK_COLUMNS,
    PAIR_COLUMNS,
    name_tokens,
)
from assay.formats.bins import BIN_DOCUMENT_COLUMNS, DROPPED_COLUMNS
from assay.formats.findings import Finding
from assay.formats.train_config import TrainConfig, record_config
from assay.storage.manifest import FileEntry, Manifest, enter_file, hash_manifest
from assay.storage.sealed_folder import seal_folder
from assay.storage.tables import write_table

HOSTILE = (
    "<script>window.PWN=1</script>", "</script><img src=x onerror=PWN=1>", "'\"><svg onload=PWN=1>",
    "{{ 7*7 }}{% raw %}", "\u202egnp.exe\u2066", "\x1b]52;c;aGk=\x07\x1b[2J", "a\u2028b\u2029c",
    "null\x00byte", "<!--", "| `a` [x](javascript:1) <b>", "\x9b31m",
)  # fmt: skip
SENTENCE = "the court held that the appeal was filed late and so it must be dismissed with costs"
BASE = " ".join([SENTENCE] * 8)
NEAR = BASE.replace("filed late", "lodged late", 1)
TEXTS = (BASE, NEAR, BASE, "short text", "", "A validation page " + BASE, BASE)
SHARD = (0, 0, 0, 0, 1, 1, 2)
CLUSTER = (0, 0, 0, 3, 4, 5, 0)
VAL_SHARD = 2
TOKENIZER = cache(load_tokenizer)


def make_audit(
    folder: Path, *, nasty: str = "", texts: Sequence[str] = TEXTS, keep_tokens: bool = True
) -> Path:
    """Seal an audit of seven documents in three shards, the last of them for validation.

    Documents 0, 2 and 6 are the same text, 1 is near to it; `nasty` stands in every label.
    """
    folder.mkdir(parents=True)
    tokenizer = TOKENIZER()
    ids = [tokenizer.encode_reference(text.encode("utf-8", "surrogateescape")) for text in texts]
    tokens = [part.size for part in ids]
    rows = [sum(s == SHARD[i] for s in SHARD[:i]) for i in range(len(texts))]
    splits = ["val" if s == VAL_SHARD else "train" for s in SHARD]
    labels = [f"id{i}{nasty}" for i in range(len(texts))]
    outputs = _write_tokens(folder, ids, tokenizer.end_of_text) if keep_tokens else []
    documents = pl.DataFrame(
        {
            "shard": SHARD, "row": rows, "id": labels, "url": [f"https://x/{nasty}"] * len(texts),
            "split": splits, "bytes": [len(text.encode()) for text in texts],
            "chars": [len(text) for text in texts], "words": [len(t.split()) for t in texts],
            "tokens": tokens, "stored_tokens": tokens,
            "content_hash": [xxhash.xxh3_128_digest(text.encode()) for text in texts],
            "short": [len(text.split()) < 5 for text in texts], "cluster": CLUSTER,
            "keeper": [i in (0, 3, 4, 5) for i in range(len(texts))],
            "keeper_jaccard": [1.0, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0],
        } | {f"because_{of}": [None, 0, 0, None, None, None, 0] for of in ("shard", "row")}
    )  # fmt: skip
    outputs.append(write_table(folder / "documents.parquet", documents, DOCUMENT_COLUMNS))
    outputs.append(write_table(folder / "pairs.parquet", _pairs(rows, labels), PAIR_COLUMNS))
    clusters = pl.DataFrame(
        {"cluster": [0], "size": [4], "keepers": [1], "keeper_shard": [0], "keeper_row": [0],
         "tokens": [sum(tokens[i] for i in (0, 1, 2, 6))], "weakest_jaccard": [0.9]}
    )  # fmt: skip
    outputs.append(write_table(folder / "clusters.parquet", clusters, CLUSTER_COLUMNS))
    leaks = pl.DataFrame(
        {"val_shard": [2], "val_row": [0], "val_id": [labels[6]], "train_shard": [0],
         "train_row": [0], "train_id": [labels[0]], "tier": ["exact"], "jaccard": [1.0],
         "coverage": [None], "val_start": [None], "train_start": [None], "words": [None]}
    )  # fmt: skip
    outputs.append(write_table(folder / "leaks.parquet", leaks, LEAK_COLUMNS))
    (folder / "findings.json").write_bytes(msgspec.json.encode(make_findings(nasty)))
    outputs.append(enter_file(folder / "findings.json", folder))
    names = [f"shard-{i}{nasty}.parquet" for i in range(3)]
    manifest = Manifest(
        kind="audit",
        tool=f"assay 0{nasty}",
        settings={"text_column": f"text{nasty}", "tokenizer": "gpt2", "threshold": 0.8,
                  "bands": 16, "rows": 8, "splits": ["train", "train", "val"]},
        inputs=[
            FileEntry(name=name, size=1000 + i, sha256=f"{i}" * 64, rows=3)
            for i, name in enumerate(names)
        ],
        outputs=outputs,
        word_rule=f"words-1{nasty}",
        tokenizer=tokenizer.describe(),
        totals=count_audit(names, splits, texts, tokens, nasty),
    )  # fmt: skip
    seal_folder(folder, manifest)
    return folder


def _write_tokens(folder: Path, ids: Sequence[np.ndarray], mark: int) -> list[FileEntry]:
    entries = []
    for shard in range(3):
        path = folder / name_tokens(shard)
        path.parent.mkdir(exist_ok=True)
        parts = [np.append(part, mark) for i, part in enumerate(ids) if SHARD[i] == shard]
        flat = np.concatenate(parts).astype("<u2")
        path.write_bytes(flat.tobytes())
        entries.append(enter_file(path, folder, flat.size))
    return entries


def _pairs(rows: list[int], labels: list[str]) -> pl.DataFrame:
    pairs = [
        (SHARD[a], rows[a], SHARD[b], rows[b], labels[a], labels[b], jaccard, kind)
        for a, b, jaccard, kind in ((0, 1, 0.9, "near"), (0, 2, 1.0, "exact"), (0, 6, 1.0, "exact"))
    ]
    return pl.DataFrame(pairs, schema=PAIR_COLUMNS.names, orient="row")


def make_findings(nasty: str = "") -> list[Finding]:
    """Make three findings, worst last, so that a report has to sort them."""
    return [
        Finding(name="length", level="info", value=64.0, threshold=None, unit="tokens",
                sentence=f"half have at most 64{nasty}"),
        Finding(name="near", level="low", value=0.0312, threshold=0.01, unit="share",
                sentence=f"3.12% repeat{nasty}", action=f"drop{nasty}", evidence="pairs.parquet"),
        Finding(name="leak", level="high", value=1.0, threshold=0.0, unit="share",
                interval=(0.05, 1.0), sentence=f"100.00% (1 of 1) leak{nasty}",
                action=f"prepare{nasty}", evidence="leaks.parquet"),
    ]  # fmt: skip


def count_audit(
    names: list[str], splits: list[str], texts: Sequence[str], tokens: list[int], nasty: str = ""
) -> dict[str, Any]:
    """Count as an audit does; histogram and detection are plausible, not computed."""
    sizes = [len(text.encode()) for text in texts]
    shards = []
    for shard, name in enumerate(names):
        here = [i for i in range(len(texts)) if SHARD[i] == shard]
        total = sum(tokens[i] for i in here)
        shards.append(
            {"name": name, "split": splits[here[0]], "documents": len(here),
             "bytes": sum(sizes[i] for i in here), "tokens": total, "stored_counts": len(here),
             "stored_tokens": total, "mismatches": int(shard == 1), "one_more": 0}
        )  # fmt: skip
    return {
        "documents": 7, "rows": 9, "null": 2, "empty": 1, "blank": 0, "short": 2,
        "invalid_utf8": 3, "dropped_invalid": 0, "bytes": sum(sizes), "tokens": sum(tokens),
        "unique_tokens": 237, "train": {"documents": 6, "tokens": sum(tokens[:6])},
        "val": {"documents": 1, "tokens": tokens[6]}, "shards": shards,
        "lengths": {
            "mean": sum(tokens) / 7,
            "quantiles": {"0": 0, "0.5": 131, "0.95": 132, "1": 134},
            "histogram": [
                {"from": 0, "below": 1, "documents": 1, "tokens": 0},
                {"from": 1, "below": 2, "documents": 0, "tokens": 0},
                {"from": 2, "below": 4, "documents": 1, "tokens": 2},
                {"from": 128, "below": 256, "documents": 5, "tokens": sum(tokens) - 2},
            ],
            "longer": [{"length": 256, "documents": 0, "tokens": 0, "share_of_tokens": 0.0}],
        },
        "exact": {"documents": 2, "tokens": 2 * tokens[0]},
        "near": {"documents": 1, "tokens": tokens[1]},
        "clusters": {"count": 1, "largest": 4},
        "pairs": {"candidates": 17, "exact": 2, "near": 1, "joined": 888, "uncompared": 5},
        "leaks": {"val_documents": 1, "exact": 1, "near": 0, "tokens": tokens[6]},
        "lsh": {"bands": 16, "rows": 8, "threshold": 0.8, "shingle": f"letters:13{nasty}",
                "detection": [[0.5, 0.0607], [0.8, 0.9471], [1.0, 1.0]]},
        "tokenizer_check": {"backend": f"gigatoken{nasty}", "documents": 2},
        "set_aside": [f"bad{nasty}.parquet: truncated"] if nasty else [],
    }  # fmt: skip


def make_bins(folder: Path, audit: Path, *, nasty: str = "") -> Path:
    """Seal bins of two documents, one each split, one end-of-text after each."""
    folder.mkdir(parents=True)
    tokenizer = TOKENIZER()
    outputs, rows, totals = [], [], {}
    for split, text in (("train", BASE), ("val", "A validation page")):
        ids = np.append(tokenizer.encode_reference(text.encode()), tokenizer.end_of_text)
        (folder / f"{split}.bin").write_bytes(ids.astype("<u2").tobytes())
        outputs.append(enter_file(folder / f"{split}.bin", folder, ids.size))
        digest = xxhash.xxh3_128_digest(text.encode())
        label = f"id-{split}{nasty}"
        rows.append((split, 0, ids.size, 0, len(rows), label, nasty, len(text), digest, len(rows)))
        tokens = ids.size - 1
        totals[split] = {"documents": 1, "tokens": tokens, "ids": ids.size, "unique_tokens": tokens}
    frame = pl.DataFrame(rows, schema=BIN_DOCUMENT_COLUMNS.names, orient="row")
    outputs.append(write_table(folder / "documents.parquet", frame, BIN_DOCUMENT_COLUMNS))
    dropped = pl.DataFrame(
        [(0, 2, f"id{nasty}", 11, "exact", 0, 0, "train", None)],
        schema=DROPPED_COLUMNS.names,
        orient="row",
    )
    outputs.append(write_table(folder / "dropped.parquet", dropped, DROPPED_COLUMNS))
    kept = totals["train"]["tokens"] + totals["val"]["tokens"]
    manifest = Manifest(
        kind="bins",
        tool=f"assay 0{nasty}",
        settings={"drop": ["exact", f"near{nasty}"], "keep": "longest", "val_share": 0.5,
                  "seed": 3},
        inputs=[],
        outputs=outputs,
        tokenizer=tokenizer.describe(),
        totals={"documents_in": 3, "tokens_in": kept + 11, **totals,
                "dropped": {"exact": {"documents": 1, "tokens": 11},
                            "near": {"documents": 0, "tokens": 0}},
                "split_check": {"pairs_within_kept": 0, "exact_across": 0, "near_across": 0}},
        parents={"audit": hash_manifest(audit)},
    )  # fmt: skip
    seal_folder(folder, manifest)
    return folder


def make_run(folder: Path, *, shift: float = 0.0, seed: int = 0) -> Path:
    """Seal a run of 40 logged steps whose loss falls to about 3 + `shift`."""
    folder.mkdir(parents=True)
    lines = []
    for step in range(1, 41):
        loss = 3 + shift + 5 / step + 0.01 * ((step * 7 + seed * 3) % 5)
        line: dict[str, Any] = {
            "step": step, "tokens_seen": 256 * step, "epoch": step / 20,
            "unique_tokens_seen": min(5120, 256 * step), "loss": loss,
        }  # fmt: skip
        if step % 10 == 0:
            line["held_out_loss"] = loss + 0.1
        lines.append(msgspec.json.encode(line))
    (folder / "metrics.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    manifest = Manifest(
        kind="run",
        tool="0.1.0",
        settings={"config": {"seed": seed}},
        inputs=[],
        outputs=[enter_file(folder / "metrics.jsonl", folder)],
        totals={"steps": 40, "parameters": 123_456, "tokens_seen": 10_240,
                "unique_tokens_seen": 5_120, "epoch": 2.0, "held_out_documents": 211,
                "held_out_tokens": 31_337, "loss_nats": 3.1234,
                "computed": [{"step": step, "device": card, "dtype": "bfloat16", "torch": "2.13.0",
                              "processes": 1} for step, card in ((0, "H200"), (30, "<i>H100"))]},
        parents={"bins": "b" * 64},
    )  # fmt: skip
    seal_folder(folder, manifest)
    return folder


def make_comparison(folder: Path, *, verdict: str = "worse", nasty: str = "") -> Path:
    """Seal a comparison of two arms with two seeds each; "invalid" has no runs and no figures."""
    folder.mkdir(parents=True)
    trained = verdict != "invalid"
    arms, parents = [], {}
    for place, name in enumerate(("raw", "clean")):
        seeds = []
        for seed in range(2 if trained else 0):
            run = make_run(folder / "runs" / f"{place}-{seed}", shift=0.3 * place, seed=seed)
            parents[f"runs/{run.name}"] = hash_manifest(run)
            loss = 3.1 + 0.3 * place + 0.01 * seed
            seeds.append({"seed": 10 * place + seed, "run": f"runs/{run.name}", "loss": loss,
                          "bits_per_byte": loss / 3})  # fmt: skip
        arms.append(
            {"name": f"{name}{nasty}", "manifest_sha256": "c" * 64, "train_tokens": 5_120,
             "unique_tokens": 4_321 + place, "epochs": 2.0,
             "leaked_documents": 0 if trained else 17, "tokens_per_run": 10_240,
             "loss": 3.105 + 0.3 * place if trained else None,
             "loss_sd": 0.0071 if trained else None, "bits_per_byte": None, "seeds": seeds}
        )  # fmt: skip
    unit = {"difference": 0.3017, "interval": [0.2511, 0.3523], "p": 0.00042,
            "minimum_detectable": 0.0612, "document_se": 0.011, "degrees_of_freedom": 2.7,
            "interval_kind": "student", "confidence": 0.95}  # fmt: skip
    pairing = {"arm": f"clean{nasty}", "baseline": f"raw{nasty}", "verdict": verdict,
               "sentence": f"clean is {verdict}{nasty}", "won_share": 0.21,
               "nats_per_token": unit if trained else None}  # fmt: skip
    found = {
        **pairing, "difference": 0.3017, "interval": [0.2511, 0.3523], "p": 0.00042,
        "minimum_detectable": 0.0612, "bits_per_byte": None, "seeds": 2, "delta": 0.01,
        "not_worse_by": None, "config": record_config(TrainConfig()),
        "confidence": 0.95, "documents": 211, "leaked_documents": 0, "tokens_per_run": 10_240,
        "steps": 40, "parameters": 123_456, "arms": arms, "comparisons": [pairing],
        "gates": [
            {"name": "tokenizer", "passed": True, "found": "aaaa", "needed": "one fingerprint"},
            {"name": f"held-out{nasty}", "passed": trained, "found": f"raw: 17{nasty}",
             "needed": "0"},
        ],
    }  # fmt: skip
    (folder / "verdict.json").write_bytes(msgspec.json.encode(found))
    manifest = Manifest(
        kind="comparison",
        tool="0.1.0",
        settings={"seeds": 2, "delta": 0.01},
        inputs=[],
        outputs=[enter_file(folder / "verdict.json", folder)],
        totals={"verdict": verdict},
        parents=parents,
    )
    seal_folder(folder, manifest)
    return folder
