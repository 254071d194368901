"""Commands of `assay diagnose`."""

from collections.abc import Iterator

from bench.versions.case import Case, case, refusals
from bench.versions.folders import flip, unseal, unseal_run
from bench.versions.log_formats import FORMATS
from bench.versions.log_shapes import SHAPES
from bench.versions.logs import BAD
from bench.versions.odd_logs import CONFIGS, ODD_LOGS

_CONFIG = "@logs/config.py"
_UNIQUE = "--unique-tokens 3M"


def diagnose_cases() -> Iterator[Case]:
    """Yield diagnoses of every shape and format of log, of our own runs, and what is refused."""
    yield from _shapes()
    yield from _formats()
    yield from _odd()
    yield from _sources()
    yield from _again()
    yield from _refused()


def _shapes() -> Iterator[Case]:
    for shape in SHAPES:
        yield case(f"diagnose-{shape}-alone", f"diagnose {shape}.log", f"@logs/{shape}.log")
        yield case(
            f"diagnose-{shape}",
            f"diagnose {shape}.log --config config.py {_UNIQUE} -o why",
            f"@logs/{shape}.log {_CONFIG}",
        )
    for name in ("unfinished", "resumed", "stamped", "nan-later"):
        yield case(
            f"diagnose-{name}",
            f"diagnose {name}.log --config config.py {_UNIQUE} --json",
            f"@logs/{name}.log {_CONFIG}",
        )
    yield case(
        "diagnose-longer",
        "diagnose flat.log --config 'longer.py --n_layer=6' --unique-tokens 0.1M",
        "@logs/flat.log @logs/longer.py",
    )
    for unique in ("0.73B", "60M", "20B"):
        yield case(
            f"diagnose-large-{unique.lower()}",
            f"diagnose large.log --config large.py -o why --unique-tokens {unique}",
            "@logs/large.log @logs/large.py",
        )
    yield case(
        "diagnose-plan",
        "diagnose healthy.log --config '--params 40M --batch-tokens 524288 --iters 20000'",
        "@logs/healthy.log",
    )


def _odd() -> Iterator[Case]:
    for name in ODD_LOGS:
        yield case(f"diagnose-{name}", f"diagnose {name}", f"@odd/logs/{name}")
    for name in CONFIGS:
        yield case(
            f"diagnose-with-{name}",
            f"diagnose healthy.log --config {name} {_UNIQUE}",
            f"@logs/healthy.log @odd/configs/{name}",
            2 if name in ("huge.py", "syntax.py", "zero.py") else 0,
        )
    for columns in (60, 90):
        yield case(
            f"diagnose-terminal-{columns}",
            f"diagnose overfits.log --config config.py {_UNIQUE}",
            f"@logs/overfits.log {_CONFIG}",
            columns=columns,
        )
    yield case("diagnose-one-log", "diagnose here", "here/train.log=@logs/flat.log")
    yield case("diagnose-logs", "diagnose logs", "@odd/logs", 2)


def _formats() -> Iterator[Case]:
    for name, (file, _) in FORMATS.items():
        yield case(f"diagnose-{name}", f"diagnose {file} -o why", f"@logs/{name}/{file}")
    yield case(
        "diagnose-forced", "diagnose log.txt --format build-nanogpt --json", "@logs/log-txt/log.txt"
    )
    yield case(
        "diagnose-packed",
        f"diagnose packed.log.gz --config config.py {_UNIQUE}",
        f"@logs/packed.log.gz {_CONFIG}",
    )
    yield case("diagnose-folder", "diagnose trainer", "trainer/checkpoint-9=@logs/trainer")
    yield case("diagnose-stdin", "diagnose - -o why", "@logs/flat.log", stdin="flat.log")


def _sources() -> Iterator[Case]:
    log = f"@logs/flat.log {_CONFIG}"
    yield case(
        "diagnose-audit",
        "diagnose flat.log --config config.py --audit audit -o why",
        f"{log} audit-val/audit",
    )
    yield case(
        "diagnose-bins",
        "diagnose flat.log --config config.py --bins bins -o why --json",
        f"{log} bins=prepare-raw/bins/raw",
    )
    yield case(
        "diagnose-checkpoint",
        "diagnose flat.log --checkpoint run/ckpt.pt",
        "@logs/flat.log train-nanogpt/run",
    )
    yield case(
        "diagnose-manifest",
        "diagnose run/metrics.jsonl --config run/manifest.json",
        "train-kept/run",
    )
    yield case("diagnose-own", "diagnose run -o why", "run=compare-worse/ab/runs/1-0")
    yield case(
        "diagnose-own-bins",
        "diagnose run --bins little --json",
        "run=compare-worse/ab/runs/1-0 @ints/little",
    )
    yield case(
        "diagnose-own-audit", "diagnose run --audit audit", "train-real/run audit-plain/audit"
    )
    yield case(
        "diagnose-own-unfinished", "diagnose run", "train-kept/run", setup=unseal_run("run", 6)
    )


def _again() -> Iterator[Case]:
    whole = f"@logs/flat.log {_CONFIG} diagnose-flat/why"
    command = f"diagnose flat.log --config config.py {_UNIQUE} -o why"
    yield case("diagnose-again", command, whole)
    yield case("diagnose-again-other", "diagnose flat.log --config config.py -o why", whole, 2)
    yield case(
        "diagnose-again-log", command, f"flat.log=@logs/healthy.log {_CONFIG} diagnose-flat/why", 2
    )
    yield case("diagnose-again-damaged", command, whole, 3, setup=flip("why/diagnosis.json"))
    yield case(
        "diagnose-unfinished-folder",
        command,
        whole,
        setup=unseal("why", "diagnosis", "diagnosis.json"),
    )


def _refused() -> Iterator[Case]:
    codes = {"events.out.tfevents.1": 2, "run-1.wandb": 2}
    for name in BAD:
        yield case(
            f"diagnose-bad-{name}", f"diagnose {name}", f"@logs/bad/{name}", codes.get(name, 3)
        )
    yield case("diagnose-comparison", "diagnose ab", "compare-two/ab", 2)
    yield case("diagnose-many-logs", "diagnose logs", "@logs", 2)
    needs = f"@logs/flat.log {_CONFIG} @logs/code.py audit-plain/audit bins=prepare-raw/bins/raw"
    yield from refusals("diagnose-usage", 2, needs, _USAGE)


_USAGE = (
    "diagnose",
    "diagnose none.log",
    "diagnose audit",
    "diagnose flat.log --format excel",
    "diagnose flat.log --config none.py",
    "diagnose flat.log --config 'config.py --n_layer=x'",
    "diagnose flat.log --config 'config.py --layers=3'",
    "diagnose flat.log --config code.py",
    "diagnose flat.log --audit audit --bins bins",
    "diagnose flat.log --audit bins",
    "diagnose flat.log --bins audit",
    "diagnose flat.log --unique-tokens few",
    "diagnose flat.log --checkpoint none.pt",
    "diagnose flat.log --config config.py --checkpoint none.pt",
    "diagnose flat.log -o audit",
)
