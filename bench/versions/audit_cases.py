"""Commands of `assay audit`."""

from collections.abc import Iterator

from bench.versions.case import Case, case, refusals
from bench.versions.folders import add, alter, both, cut, flip, remove, rename, unseal

_AB = "@shards/corpus/a.parquet @shards/corpus/b.parquet"
_NAMES = "a.parquet b.parquet -o audit"
_PLAN = "--params 40M --batch-tokens 524288 --iters 20000"


def audit_cases() -> Iterator[Case]:
    """Yield audits that end well, gates, options, and what is refused."""
    yield from _whole()
    yield from _rules()
    yield from _texts_and_tokens()
    yield from _again()
    yield from _refused()


def _whole() -> Iterator[Case]:
    yield case("audit-plain", f"audit {_NAMES}", _AB)
    yield case("audit-json", f"audit {_NAMES} --json --threads 1", _AB)
    yield case("audit-folder", "audit corpus -o deep/er/audit", "@shards/corpus")
    yield case("audit-pattern", "audit 'corpus/*.parquet' -o audit", "@shards/corpus")
    yield case("audit-val", f"audit {_NAMES} --val held.parquet", f"{_AB} @shards/held.parquet")
    yield case(
        "audit-leak",
        f"audit {_NAMES} --val held.parquet --fail-on 'leak>0'",
        f"{_AB} @shards/held.parquet",
        1,
    )
    yield case(
        "audit-gates",
        f"audit {_NAMES} --fail-on 'exact>1%' --fail-on 'near>0.99' --fail-on"
        " 'unique_tokens<1000000' --fail-on 'near_recall>=0.5' --fail-on 'length>10'",
        _AB,
        1,
    )
    yield case("audit-passed", f"audit {_NAMES} --fail-on 'exact>99%' --fail-on 'null>0.5'", _AB)
    yield case(
        "audit-unmeasured",
        "audit few.parquet -o audit --fail-on 'near_recall<0.1' --fail-on 'candidates<0.1'",
        "@shards/few.parquet",
        1,
    )
    yield case("audit-plan", f"audit {_NAMES} --plan '{_PLAN}' --fail-on 'epochs>4'", _AB, 1)
    yield case("audit-terminal", f"audit {_NAMES} --plan '{_PLAN}'", _AB, columns=100)
    yield case("audit-narrow", f"audit {_NAMES} --plan '{_PLAN}'", _AB, columns=60)
    yield case(
        "audit-plan-config",
        f"audit {_NAMES} --plan 'config.py --max_iters=20000' --json",
        f"{_AB} @logs/config.py",
    )
    yield case(
        "audit-twice",
        "audit a.parquet corpus corpus/a.parquet ./a.parquet -o audit",
        "@shards/corpus @shards/corpus/a.parquet",
    )
    yield case("audit-crowd", "audit crowd.parquet -o audit", "@shards/crowd.parquet")
    yield case("audit-plain-bins", "audit plain -o audit", "@shards/plain")
    yield case("audit-llmc", "audit llmc.bin -o audit", "@shards/llmc.bin")
    yield case(
        "audit-fresh",
        "audit fresh.parquet few.parquet -o audit",
        "@shards/fresh.parquet @shards/few.parquet",
    )


def _rules() -> Iterator[Case]:
    for name in ("fineweb", "slimpajama", "nemo", "refinedweb", "datasketch"):
        yield case(f"audit-{name}", f"audit {_NAMES} --preset {name}", _AB)
    yield case("audit-datasketch-low", f"audit {_NAMES} --preset datasketch --threshold 0.6", _AB)
    yield case("audit-bands", f"audit {_NAMES} --threshold 0.7 --bands 20 --rows 5", _AB)
    for unit in ("words:3", "letters:13", "characters:24"):
        yield case(f"audit-{unit.split(':')[0]}", f"audit {_NAMES} --shingle {unit}", _AB)
    for scheme in ("affine32", "affine64", "slots"):
        yield case(f"audit-{scheme}", f"audit {_NAMES} --signature {scheme}", _AB)


def _texts_and_tokens() -> Iterator[Case]:
    yield case(
        "audit-trusted",
        "audit counted.parquet -o audit --trust-token-count",
        "@shards/counted.parquet",
    )
    yield case(
        "audit-counted",
        "audit counted.parquet some-wrong.parquet -o audit",
        "@shards/counted.parquet @shards/some-wrong.parquet",
    )
    yield case(
        "audit-mistrusted",
        "audit all-wrong.parquet -o audit --trust-token-count",
        "@shards/all-wrong.parquet",
        3,
    )
    yield case("audit-no-cache", f"audit {_NAMES} --no-token-cache", _AB)
    yield case(
        "audit-body",
        "audit body.parquet -o audit --text-column body --tokenizer gpt2",
        "@shards/body.parquet",
    )
    for policy, code in (("replace", 0), ("drop", 0), ("stop", 3)):
        yield case(
            f"audit-utf8-{policy}",
            f"audit not-utf8.parquet -o audit --invalid-utf8 {policy}",
            "@shards/not-utf8.parquet",
            code,
        )
    bad = "@shards/bad/truncated.parquet @shards/bad/page.parquet @shards/bad/columns.parquet"
    words = "truncated.parquet page.parquet columns.parquet"
    for policy, code in (("skip", 4), ("stop", 3)):
        yield case(
            f"audit-bad-{policy}",
            f"audit {words} {_NAMES} --on-bad-shard {policy}",
            f"{bad} {_AB}",
            code,
        )
    yield case("audit-kinds", "audit kinds -o audit", "@shards/kinds")
    yield case("audit-kinds-dropped", "audit kinds -o audit --invalid-utf8 drop", "@shards/kinds")
    yield case(
        "audit-equal",
        "audit a.parquet same.parquet -o audit",
        "a.parquet=@shards/few.parquet same.parquet=@shards/few.parquet",
    )
    yield case("audit-hostile", "audit hostile -o audit", "hostile=@shards/odd-name")
    yield case(
        "audit-hostile-column", "audit hostile.parquet -o audit", "@shards/bad/hostile.parquet", 3
    )


def _again() -> Iterator[Case]:
    whole = f"{_AB} audit-plain/audit"
    yield case("audit-again", f"audit {_NAMES} --threads 1", whole)
    yield case("audit-again-gated", f"audit {_NAMES} --fail-on 'exact>1%'", whole, 1)
    yield case("audit-again-other", f"audit {_NAMES} --threshold 0.7 --no-token-cache", whole, 2)
    yield case("audit-again-inputs", "audit a.parquet -o audit", whole, 2)
    yield case("audit-again-plan", f"audit {_NAMES} --plan '{_PLAN}'", whole, 2)
    changed = both(remove("b.parquet"), rename("c.parquet", "b.parquet"))
    yield case(
        "audit-again-contents",
        f"audit {_NAMES}",
        f"{whole} c.parquet=@shards/corpus/a.parquet",
        2,
        setup=changed,
    )
    yield case(
        "audit-again-damaged", f"audit {_NAMES}", whole, 3, setup=flip("audit/findings.json")
    )
    yield case(
        "audit-again-tool",
        f"audit {_NAMES}",
        whole,
        2,
        setup=alter("audit/manifest.json", "tool", value="assay 0.0.9"),
    )
    yield case("audit-unfinished", f"audit {_NAMES}", whole, setup=unseal("audit", "audit"))
    yield case(
        "audit-other-kind", f"audit {_NAMES}", _AB, 2, setup=add("audit/.unfinished", "run\n")
    )
    yield case("audit-foreign", f"audit {_NAMES}", _AB, 2, setup=add("audit/notes.txt", "mine\n"))
    yield case("audit-on-a-file", f"audit {_NAMES}", _AB, 2, setup=add("audit", "mine\n"))
    yield case("audit-below-a-file", "audit a.parquet -o file/audit", _AB, 2, setup=add("file"))


def _refused() -> Iterator[Case]:
    bad = (
        *("html", "lfs", "empty", "twice", "numbers", "rows", "null", "page", "truncated"),
        *("columns",),
    )
    for name in bad:
        yield case(
            f"audit-bad-{name}", f"audit {name}.parquet -o audit", f"@shards/bad/{name}.parquet", 3
        )
    for name in ("odd", "large", "none"):
        yield case(f"audit-bin-{name}", f"audit {name}.bin -o audit", f"@shards/bad/{name}.bin", 3)
    yield case("audit-llmc-short", "audit llmc-short.bin -o audit", "@shards/llmc-short.bin", 3)
    yield case("audit-cut", "audit a.parquet -o audit", _AB, 3, setup=cut("a.parquet", 100))
    yield case("audit-no-folder", "audit none -o audit", "", 2)
    yield case(
        "audit-empty-folder",
        "audit empty -o audit",
        "",
        2,
        setup=lambda here: (here / "empty").mkdir(),
    )
    yield case(
        "audit-dead-link",
        "audit a.parquet -o audit",
        "",
        2,
        setup=lambda here: (here / "a.parquet").symlink_to("nowhere"),
    )
    yield case("audit-of-audit", "audit audit -o again", "audit-plain/audit", 2)
    yield from refusals("audit-usage", 2, _AB, _USAGE)


_USAGE = (
    "audit",
    "audit a.parquet",
    "audit '' -o audit",
    f"audit {_NAMES} --thresold 1",
    f"audit {_NAMES} --threshold 0",
    f"audit {_NAMES} --threshold x",
    f"audit {_NAMES} --bands 9999",
    f"audit {_NAMES} --signature slots --bands 100",
    f"audit {_NAMES} --preset fine",
    f"audit {_NAMES} --preset datasketch --threshold 0.999999",
    f"audit {_NAMES} --shingle words",
    f"audit {_NAMES} --shingle syllables:3",
    f"audit {_NAMES} --signature md5",
    f"audit {_NAMES} --tokenizer gpt9",
    f"audit {_NAMES} --invalid-utf8 guess",
    f"audit {_NAMES} --threads 0",
    f"audit {_NAMES} --val b.parquet",
    f"audit {_NAMES} --fail-on leak",
    f"audit {_NAMES} --fail-on 'leak>0'",
    f"audit {_NAMES} --fail-on 'leak>1e'",
    f"audit {_NAMES} --fail-on 'exact>10'",
    f"audit {_NAMES} --fail-on 'length>10%'",
    f"audit {_NAMES} --fail-on 'exakt>1%'",
    f"audit {_NAMES} --fail-on 'epochs>4'",
    f"audit {_NAMES} --plan no.py",
    f"audit {_NAMES} --plan '--params 40M'",
    f"audit {_NAMES} --plan '--params 40M --batch-tokens x --iters 5'",
    f"audit {_NAMES} --plan '--parms 40M'",
    f"audit {_NAMES} --plan 'words'",
    f"audit {_NAMES} --plan '--params \"40M'",
)
