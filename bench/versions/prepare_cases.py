"""Commands of `assay prepare`."""

from collections.abc import Iterator

from bench.versions.case import Case, case, refusals
from bench.versions.folders import add, alter, cut, flip, unseal

_AUDIT = "audit-plain/audit"
_AUDIT_VAL = "audit-val/audit"
_SHARE = "--val-share 0.2"


def prepare_cases() -> Iterator[Case]:
    """Yield bins of every choice, planned, told again, and refused."""
    yield from _whole()
    yield from _again()
    yield from _refused_audits()
    yield from _refused()


def _whole() -> Iterator[Case]:
    yield case("prepare-raw", f"prepare audit -o bins/raw --drop none {_SHARE}", _AUDIT)
    yield case(
        "prepare-clean", f"prepare audit -o bins/clean --drop exact,near,leaked {_SHARE}", _AUDIT
    )
    yield case("prepare-plain", "prepare audit -o bins", _AUDIT)
    yield case("prepare-first", f"prepare audit -o bins --keep first --seed 5 {_SHARE}", _AUDIT)
    yield case(
        "prepare-longest",
        f"prepare audit -o bins --keep longest --seed -5 {_SHARE}"
        " --format nanogpt --threads 1 --json",
        _AUDIT,
    )
    yield case(
        "prepare-tokens", "prepare audit -o bins --val-tokens 1k --train-tokens 4000", _AUDIT
    )
    yield case("prepare-dry", f"prepare audit --dry-run {_SHARE}", _AUDIT)
    yield case("prepare-dry-json", f"prepare audit --dry-run --json --drop empty {_SHARE}", _AUDIT)
    yield case("prepare-val", "prepare audit -o bins", _AUDIT_VAL)
    yield case("prepare-val-raw", "prepare audit -o bins --drop none", _AUDIT_VAL)
    yield case(
        "prepare-val-named",
        "prepare audit -o bins --val b.parquet",
        f"{_AUDIT} @shards/corpus/b.parquet",
    )
    yield case(
        "prepare-encoded",
        f"prepare audit -o bins {_SHARE} --threads 2",
        "audit-no-cache/audit @shards/corpus/a.parquet @shards/corpus/b.parquet",
    )
    yield case(
        "prepare-trusted",
        f"prepare audit -o bins {_SHARE}",
        "audit-trusted/audit @shards/counted.parquet",
    )
    equal = "audit-equal/audit a.parquet=@shards/few.parquet same.parquet=@shards/few.parquet"
    yield case("prepare-equal", "prepare audit -o bins --val same.parquet --drop none", equal)
    yield case(
        "prepare-equal-elsewhere",
        "prepare audit -o bins --val few.parquet",
        f"{equal} @shards/few.parquet",
        2,
    )
    yield case("prepare-few", "prepare audit -o bins --val-share 0.02", "audit-fresh/audit")
    yield case("prepare-llmc", "prepare audit -o bins --val-share 0.3", "audit-llmc/audit")
    yield case("prepare-crowd", f"prepare audit -o bins {_SHARE}", "audit-crowd/audit")


def _again() -> Iterator[Case]:
    whole = f"{_AUDIT} bins=prepare-plain/bins"
    yield case("prepare-again", "prepare audit -o bins --threads 1", whole)
    yield case("prepare-again-json", "prepare audit -o bins --json", whole)
    yield case("prepare-again-other", "prepare audit -o bins --seed 1 --keep first", whole, 2)
    yield case(
        "prepare-again-audit",
        "prepare audit -o bins",
        "audit=audit-words/audit bins=prepare-plain/bins",
        2,
    )
    yield case("prepare-again-cut", "prepare audit -o bins", whole, 3, setup=cut("bins/train.bin"))
    yield case("prepare-unfinished", "prepare audit -o bins", whole, setup=unseal("bins", "bins"))
    yield case("prepare-onto-audit", "prepare audit -o audit", _AUDIT, 2)


def _refused_audits() -> Iterator[Case]:
    yield case("prepare-nothing", "prepare audit -o bins --train-tokens 0", _AUDIT, 2)
    yield case("prepare-all-held-out", "prepare audit -o bins --val-share 0.999999", _AUDIT, 3)
    yield case("prepare-missing", "prepare audit -o bins", "", 2)
    yield case(
        "prepare-not-sealed",
        "prepare audit -o bins",
        "",
        3,
        setup=add("audit/.unfinished", "audit\n"),
    )
    yield case("prepare-not-ours", "prepare audit -o bins", "", 3, setup=add("audit/x/y", ""))
    yield case("prepare-folder-above", "prepare above -o bins", "above/audit=audit-plain/audit", 3)
    yield case(
        "prepare-bad-manifest",
        "prepare audit -o bins",
        "",
        3,
        setup=add("audit/manifest.json", "{"),
    )
    yield case(
        "prepare-schema",
        "prepare audit -o bins",
        _AUDIT,
        3,
        setup=alter("audit/manifest.json", "schema_version", value=99),
    )
    yield case(
        "prepare-tokenizer",
        "prepare audit -o bins",
        _AUDIT,
        3,
        setup=alter("audit/manifest.json", "tokenizer", "fingerprint", value="0"),
    )
    yield case("prepare-bins", "prepare bins -o more", "bins=prepare-plain/bins", 2)
    yield case(
        "prepare-damaged",
        "prepare audit -o bins",
        _AUDIT,
        3,
        setup=flip("audit/documents.parquet", 400),
    )


def _refused() -> Iterator[Case]:
    yield case(
        "prepare-changed-shard",
        "prepare audit -o bins",
        "audit-no-cache/audit a.parquet=@shards/corpus/b.parquet @shards/corpus/b.parquet",
        3,
    )
    yield case("prepare-no-shard", "prepare audit -o bins", "audit-no-cache/audit", 2)
    yield case(
        "prepare-other-val",
        "prepare audit -o bins --val few.parquet",
        f"{_AUDIT} @shards/few.parquet",
        2,
    )
    yield case(
        "prepare-val-into-train",
        "prepare audit -o bins --val b.parquet",
        f"{_AUDIT_VAL} @shards/corpus/b.parquet",
        2,
    )
    yield case("prepare-val-asked-twice", "prepare audit -o bins --val-share 0.5", _AUDIT_VAL, 2)
    yield from refusals("prepare-usage", 2, _AUDIT, _USAGE)


_USAGE = (
    "prepare",
    "prepare audit",
    "prepare audit -o bins --drop exact,far",
    "prepare audit -o bins --keep last",
    "prepare audit -o bins --val-share 3",
    "prepare audit -o bins --val-share 0.1 --val-tokens 100",
    "prepare audit -o bins --val-tokens many",
    "prepare audit -o bins --val none.parquet",
    "prepare audit -o bins --seed 99999999999999999999",
    "prepare audit -o bins --format megatron",
    "prepare audit -o bins --treads 2",
)
