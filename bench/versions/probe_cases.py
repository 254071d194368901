"""Commands of `assay probe`."""

from collections.abc import Iterator

from bench.versions.case import Case, case, refusals
from bench.versions.folders import add, drop_run, remove, unseal

_PROBE = "probe run --old old --new new -o probe --steps 20 --device cpu"
_PROBED = "@ints/old @ints/new run=train-constant-old/run"


def probe_cases() -> Iterator[Case]:
    """Yield probes of runs and of a ckpt.pt, told again, gone on with, and refused."""
    yield from _probes()
    yield from _refused()


def _probes() -> Iterator[Case]:
    old = "train old -o run {tiny} --schedule constant --learning-rate 0.03 --max_iters 80"
    yield case("train-constant-old", f"{old} --keep-checkpoints 40", "@ints/old")
    yield case("probe-run", f"{_PROBE} --log-interval 10 --checkpoint-interval 10", _PROBED)
    yield case(
        "probe-options",
        "probe run/step-40 --old old --new new -o probe --steps 20"
        " --seeds 3 --seed 4 --learning-rate 0.02 --held-out other-val"
        " --held-out-documents 25 --device cpu --json",
        f"{_PROBED} @ints/other-val",
    )
    yield case(
        "probe-ckpt",
        "probe run/ckpt.pt --old whole --new new -o probe --steps 20 --device cpu",
        "@ints/whole @ints/new train-constant-nanogpt/run",
    )
    little = "train little -o run {tiny} --schedule constant --learning-rate 0.03 --max_iters 200"
    yield case("train-constant-little", little, "@ints/little")
    yield case(
        "probe-little",
        "probe run --old little --new whole -o probe --steps 60 --device cpu",
        "@ints/little @ints/whole run=train-constant-little/run",
    )
    yield case(
        "probe-leaky",
        "probe run --old leaky --new new -o probe --device cpu --held-out-documents 30",
        "@ints/leaky @ints/new run=train-constant-old/run",
    )
    yield case("probe-again", _PROBE, f"{_PROBED} probe-run/probe")
    yield case("probe-again-other", f"{_PROBE} --seeds 3", f"{_PROBED} probe-run/probe", 2)
    yield case(
        "probe-resumed",
        _PROBE,
        f"{_PROBED} probe-run/probe",
        setup=drop_run("probe", "probe", "probe.json", run="new-cooldown-1"),
    )
    yield case(
        "probe-unsealed",
        _PROBE,
        f"{_PROBED} probe-run/probe",
        setup=unseal("probe", "probe", "probe.json"),
    )


def _refused() -> Iterator[Case]:
    yield case(
        "probe-finished-schedule",
        "probe run --old whole --new new -o probe --steps 20",
        "@ints/whole @ints/new train-kept/run",
        2,
    )
    yield case("probe-no-moments", _PROBE, _PROBED, 3, setup=remove("run/optimizer.safetensors"))
    yield case(
        "probe-bad-ckpt",
        "probe bad.pt --old old --new new -o probe",
        _PROBED,
        3,
        setup=add("bad.pt", "nothing of torch's"),
    )
    yield case("probe-no-rate", f"{_PROBE} --learning-rate 0", _PROBED, 2)
    needs = f"{_PROBED} @ints/no-val @ints/few-held @ints/other-tokenizer"
    yield from refusals("probe-usage", 2, needs, _USAGE)


_USAGE = (
    "probe",
    "probe run --old old -o probe",
    "probe nothing --old old --new new -o probe",
    "probe old --old old --new new -o probe",
    "probe run --old old --new old -o probe --steps 20",
    "probe run --old old --new other-tokenizer -o probe --steps 20",
    "probe run --old old --new new -o probe --steps 2",
    "probe run --old old --new new -o probe --seeds 1",
    "probe run --old old --new new -o probe --steps 20 --device gpu",
    "probe run --old old --new new -o probe --steps 20 --held-out no-val",
    "probe run --old old --new new -o probe --steps 20 --held-out few-held",
    "probe run --old old --new new -o run --steps 20",
)
