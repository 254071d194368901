"""A probe asked for again: found where the same command finished it."""

from pathlib import Path

from assay.artifacts import hash_manifest
from assay.bins import Bins
from assay.finished import find_finished, refuse
from assay.probes import PROBE, ProbeResult, read_probe
from assay.train.config import FREE_SETTINGS, record_config
from assay.train.trunk import Trunk


def record_probe(
    trunk: Trunk, *, steps: int, seeds: int, seed: int, most: int
) -> dict[str, object]:
    """Return what the manifest of a probe holds of its settings; `steps` are those of a branch."""
    return {
        "config": record_config(trunk.config),
        "checkpoint": str(trunk.path),
        "checkpoint_sha256": trunk.start.sha256,
        "learning_rate": trunk.rate,
        "steps": steps,
        "seeds": seeds,
        "seed": seed,
        "held_out_documents": most,
    }


def find_probe(
    folder: Path, settings: dict[str, object], old: Bins, new: Bins, judged: Bins
) -> ProbeResult | None:
    """Read the result of a probe that the same command finished; None if none is finished.

    Where branches were trained, how fast, and how often they logged and saved decide nothing.

    Args:
        folder: Of the probe.
        settings: As `record_probe` gives them.
        old: What the checkpoint was trained on.
        new: The other data.
        judged: Bins whose val documents are scored.

    Raises:
        UsageError: The folder holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or is not what its manifest says.
    """
    data = {"old": old, "new": new, "held out": judged}
    found = find_finished(
        folder,
        "probe",
        settings=settings,
        inputs=[],
        word_rule=None,
        tokenizer=old.manifest.tokenizer,
        parents={name: hash_manifest(bins.folder) for name, bins in data.items()},
        free=FREE_SETTINGS,
        told=[PROBE],
    )
    if found is None:
        return None
    result = read_probe(folder)
    names = [result.old, result.new, result.held_out]
    if names != [bins.folder.name for bins in data.values()]:  # the table calls the data by them
        raise refuse(folder, f"whose bins were called {', '.join(names)}")
    return result
