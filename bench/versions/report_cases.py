"""Commands of `assay report`, `show`, `verify` and `demo`, and the help of all."""

from collections.abc import Iterator

from bench.versions.case import Case, case, refusals
from bench.versions.folders import add, alter, cut, flip, remove, unseal

# One folder of each kind, by the name that commands call it here.
_KINDS = {
    "audit": "audit=audit-val/audit",
    "bins": "bins=prepare-clean/bins/clean",
    "run": "run=train-kept/run",
    "ab": "ab=compare-worse/ab",
    "probe": "probe=probe-run/probe",
    "why": "why=diagnose-overfits/why",
}
_ALL = " ".join(_KINDS)
_NEEDS = " ".join(_KINDS.values())
_VERBS = (
    *("audit", "prepare", "train", "compare", "diagnose", "score", "probe", "report"),
    *("show", "verify", "demo"),
)


def report_cases() -> Iterator[Case]:
    """Yield pages of every kind and format, folders shown and verified, and what is refused."""
    yield from _reports()
    yield from _more_reports()
    yield from _refused_reports()
    yield from _shows()
    yield from _verifies()
    yield from _others()


def _reports() -> Iterator[Case]:
    for form, ending in (("html", "html"), ("md", "md"), ("text", "txt"), ("json", "json")):
        for name, needs in _KINDS.items():
            yield case(
                f"report-{name}-{form}", f"report {name} -o page.{ending} --format {form}", needs
            )
        yield case(f"report-all-{form}", f"report {_ALL} -o page.{ending} --format {form}", _NEEDS)
    yield case("report-other-ending", "report bins -o page.txt --format html", _KINDS["bins"])
    for ending in ("html", "md", "txt", "json"):
        yield case(f"report-by-{ending}", f"report audit -o page.{ending}", _KINDS["audit"])
    yield case("report-printed", "report audit bins -o - --format text", _NEEDS)
    yield case("report-printed-html", "report why -o -", _KINDS["why"])
    yield case("report-no-samples", "report audit -o page.html --no-samples", _KINDS["audit"])
    yield case("report-raw", "report audit -o page.html --show-raw", _KINDS["audit"])
    yield case("report-raw-md", "report audit bins -o page.md --show-raw", _NEEDS)
    yield case("report-hostile", "report audit -o page.html --show-raw", "audit-hostile/audit")
    yield case(
        "report-two-audits",
        "report one two bins -o page.html",
        "one=audit-plain/audit two=audit-words/audit bins=prepare-raw/bins/raw",
    )


def _more_reports() -> Iterator[Case]:
    for name in (
        "audit-plan",
        "audit-crowd",
        "audit-no-cache",
        "audit-bad-skip",
        "audit-fineweb",
        "audit-trusted",
    ):
        yield case(f"report-{name}", "report audit -o page.html", f"{name}/audit")
    for name in (
        "three-seeds",
        "leaky",
        "leaky-allowed",
        "looks",
        "vary-shape",
        "three-arms",
        "held-out",
        "few",
        "diverged",
        "real",
        "better",
        "not-worse",
    ):
        yield case(f"report-compare-{name}", "report ab -o page.html", f"compare-{name}/ab")
    for name in ("probe-options", "probe-ckpt"):
        yield case(f"report-{name}", "report probe -o page.html", f"{name}/probe")
    for name in ("audit", "own", "healthy", "csv", "nanochat", "large-0.73b"):
        yield case(f"report-diagnose-{name}", "report why -o page.html", f"diagnose-{name}/why")
    yield case(
        "report-chain",
        "report audit raw clean ab -o page.html",
        "audit-plain/audit prepare-raw/bins/raw prepare-clean/bins/clean compare-real/ab",
    )
    yield case(
        "report-replaced",
        "report audit -o page.html",
        f"{_KINDS['audit']} page.html=report-why-html/page.html",
    )
    yield case("report-float16", "report run -o page.md", "train-float16/run")
    yield case("report-changed-run", "report run -o page.html", "run=train-from-kept/more")


def _refused_reports() -> Iterator[Case]:
    audit = _KINDS["audit"]
    yield case(
        "report-foreign",
        "report audit -o page.html",
        audit,
        2,
        setup=add("page.html", "<p>mine</p>"),
    )
    yield case(
        "report-cut", "report bins -o page.html", _KINDS["bins"], 3, setup=cut("bins/val.bin")
    )
    yield case(
        "report-lost", "report ab -o page.html", _KINDS["ab"], 3, setup=remove("ab/verdict.json")
    )
    yield case(
        "report-level",
        "report audit -o page.html",
        audit,
        3,
        setup=add("audit/findings.json", "[{}]"),
    )
    yield case(
        "report-unsealed", "report audit -o page.html", audit, 3, setup=unseal("audit", "audit")
    )
    yield case(
        "report-kind",
        "report audit -o page.html",
        audit,
        2,
        setup=alter("audit/manifest.json", "kind", value="cake"),
    )
    yield case(
        "report-totals",
        "report audit -o page.html",
        audit,
        3,
        setup=alter("audit/manifest.json", "totals", value={}),
    )
    yield case("report-integer-bins", "report whole -o page.html", "@ints/whole", 3)
    yield from refusals("report-usage", 2, f"{audit} copy=audit-val/audit", _REPORT_USAGE)


_REPORT_USAGE = (
    "report",
    "report audit",
    "report audit audit -o page.html",
    "report audit copy -o page.html",
    "report nothing -o page.html",
    "report audit -o page.pdf",
    "report audit -o page.html --format pdf",
    "report audit -o page.html --no-samples --show-raw",
    "report audit -o audit/page.html",
    "report audit -o none/page.html",
    "report audit -o audit",
)


def _shows() -> Iterator[Case]:
    for name, needs in _KINDS.items():
        yield case(f"show-{name}", f"show {name}", needs)
        yield case(f"show-{name}-json", f"show {name} --json", needs)
    bins = _KINDS["bins"]
    yield case("show-bin", "show bins/train.bin", bins)
    yield case("show-table", "show audit/pairs.parquet --json", _KINDS["audit"])
    yield case("show-shard", "show a.parquet", "@shards/corpus/a.parquet")
    yield case("show-token", "show bins --token 1000", bins)
    yield case("show-token-val", "show bins --token 0 --split val --json", bins)
    yield case("show-token-train", "show bins --token 99 --split train", bins)
    yield case("show-document", "show bins --document a-3", bins)
    yield case("show-document-json", "show bins --document a-3 --json", bins)
    yield case("show-integers", "show whole", "@ints/whole")
    yield case("show-integers-token", "show whole --token 5", "@ints/whole", 2)
    yield case("show-bad-parquet", "show html.parquet", "@shards/bad/html.parquet", 3)
    yield case("show-odd-bin", "show odd.bin", "@shards/bad/odd.bin", 3)
    yield case("show-unsealed", "show audit", _KINDS["audit"], 3, setup=unseal("audit", "audit"))
    yield from refusals("show-usage", 2, f"{bins} {_KINDS['run']} @logs/config.py", _SHOW_USAGE)


_SHOW_USAGE = (
    "show",
    "show nothing",
    "show config.py",
    "show bins --token 99999999",
    "show bins --token -1",
    "show bins --token x",
    "show bins --document nobody",
    "show bins --token 1 --document a-3",
    "show run --token 1",
    "show bins --token 1 --split test",
)


def _verifies() -> Iterator[Case]:
    for name, needs in _KINDS.items():
        yield case(f"verify-{name}", f"verify {name}", needs)
        yield case(f"verify-{name}-deep", f"verify {name} --deep --json", needs)
    bins, audit, ab = (_KINDS[name] for name in ("bins", "audit", "ab"))
    yield case("verify-cut", "verify bins", bins, 3, setup=cut("bins/train.bin"))
    yield case("verify-flipped", "verify bins", bins, 3, setup=flip("bins/train.bin"))
    yield case("verify-missing", "verify audit", audit, 3, setup=remove("audit/leaks.parquet"))
    yield case("verify-stranger", "verify audit", audit, 3, setup=add("audit/notes.txt", "mine"))
    yield case(
        "verify-run-changed",
        "verify ab",
        ab,
        3,
        setup=alter("ab/runs/0-1/manifest.json", "totals", "steps", value=9),
    )
    yield case(
        "verify-totals",
        "verify bins --deep",
        bins,
        3,
        setup=alter("bins/manifest.json", "totals", "documents_in", value=9),
    )
    yield case(
        "verify-audit-totals",
        "verify audit --deep",
        audit,
        3,
        setup=alter("audit/manifest.json", "totals", "tokens", value=9),
    )
    yield case("verify-unsealed", "verify audit", audit, 3, setup=unseal("audit", "audit"))
    yield case("verify-integers", "verify whole", "@ints/whole")
    yield from refusals("verify-usage", 2, bins, ("verify", "verify nothing", "verify bins --depp"))


def _others() -> Iterator[Case]:
    yield case("help", "--help")
    yield case("help-short", "-h")
    yield case("version", "--version")
    for verb in _VERBS:
        yield case(f"help-{verb}", f"{verb} --help")
    yield from refusals("no-verb", 2, "", ("", "audti", "--no-such"))
    yield case("demo", "demo -o demo --tokens 5000 --seeds 1")
    yield case("demo-foreign", "demo -o mine", "", 2, setup=add("mine/notes.txt", "mine"))
