"""Write logs, and see what was read of them."""

from pathlib import Path

from assay.diagnose.answer.summary import Diagnosis
from assay.diagnose.logs.runlog import Curve, RunLog


def write(folder: Path, text: str | bytes, name: str = "log.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def pairs(curve: Curve) -> list[tuple[int, float]]:
    return list(zip(curve.step_N.tolist(), curve.value_N.tolist(), strict=True))


def notes(log: RunLog) -> str:
    return "\n".join(log.notes)


def levels(diagnosis: Diagnosis) -> dict[str, str]:
    return {each.name: each.level for each in diagnosis.hypotheses}


def sentences(diagnosis: Diagnosis, name: str) -> str:
    each = next(each for each in diagnosis.hypotheses if each.name == name)
    return "\n".join(fact.sentence for fact in each.evidence)
