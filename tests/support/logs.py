"""Write logs, and see what was read of them and said about them."""

from pathlib import Path

from assay.diagnose.logs.run_log import Curve, RunLog
from assay.diagnose.run import WeighedLog
from assay.formats.hypothesis import TITLES, Hypothesis, HypothesisName


def write(folder: Path, text: str | bytes, name: str = "log.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def pairs(curve: Curve) -> list[tuple[int, float]]:
    return list(zip(curve.step_N.tolist(), curve.value_N.tolist(), strict=True))


def notes(log: RunLog) -> str:
    return "\n".join(log.notes)


def find(weighed: WeighedLog, name: HypothesisName) -> Hypothesis:
    return next(each for each in weighed.result.hypotheses if each.name == TITLES[name])


def levels(weighed: WeighedLog) -> dict[HypothesisName, str]:
    return {name: find(weighed, name).level for name in HypothesisName}


def sentences(weighed: WeighedLog, name: HypothesisName) -> str:
    return "\n".join(fact.sentence for fact in find(weighed, name).evidence)
