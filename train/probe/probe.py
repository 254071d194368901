"""Branch a checkpoint into constant and cooldown, on old data and new: schedule, or data?"""

from assay.formats.bins import Bins, as_bins
from assay.formats.probe import Probe
from assay.formats.run import MAX_HELD_OUT
from assay.formats.train_config import Intervals
from assay.options import to_count
from assay.paths import AnyPath, to_path
from assay.terminal.progress import choose_log
from assay.train.run.environment import refuse_torchrun, require_torch


def probe_checkpoint(
    checkpoint: AnyPath,
    output: AnyPath,
    *,
    old: AnyPath | Bins,
    new: AnyPath | Bins,
    steps: int | None = None,
    seeds: int = 2,
    seed: int = 0,
    learning_rate: float | None = None,
    held_out: AnyPath | Bins | None = None,
    held_out_documents: int = MAX_HELD_OUT,
    device: str = "auto",
    intervals: Intervals | None = None,
    quiet: bool = True,
) -> Probe:
    """Train four branches of a checkpoint in each of several orders, and weigh what holds its loss.

    On old data and new, at the learning rate where it stands and with that brought down to 0. The
    same call resumes what was interrupted, branch by branch, and opens what is finished.

    Args:
        checkpoint: A run, a checkpoint in one, or nanoGPT's `ckpt.pt`.
        output: A folder that is new, empty, or left unfinished or finished by the same call.
        old: Bins it was trained on; their val documents are those like them.
        new: Bins of other training data, of the same tokenizer.
        steps: Of a branch, at least 20; by default a tenth of the checkpoint's.
        seeds: Orders of the data, at least 2: how they differ is the noise.
        seed: Root of the orders.
        learning_rate: Where branches begin; by default where the checkpoint stands.
        held_out: Bins of the text that is wanted, scored beside the val documents of `old`.
        held_out_documents: Score at most this many.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        intervals: Steps between lines of the metrics and checkpoints of a branch.
        quiet: No progress on stderr.

    Raises:
        UsageError: Data or checkpoint do not fit together, or the folder holds something else.
        InputError: The checkpoint cannot be read.
        Interrupted: A signal asked for it; the branch under way is saved.
    """
    refuse_torchrun("probe")
    require_torch()
    from assay.train.probe.branch_point import read_branch_point
    from assay.train.probe.branches import run_probe

    path = to_path(checkpoint)
    return run_probe(
        read_branch_point(path, {"device": device}, learning_rate=learning_rate),
        as_bins(old),
        as_bins(new),
        to_path(output),
        steps=steps,
        seeds=seeds,
        seed=seed,
        held_out=None if held_out is None else as_bins(held_out),
        held_out_documents=to_count(held_out_documents, "held_out_documents") or MAX_HELD_OUT,
        intervals=intervals,
        log=choose_log(quiet),
    )
