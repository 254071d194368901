"""Weights and optimizer on the disk, so that a run can be resumed as if it had not stopped.

A checkpoint is three files: `model.safetensors`, `optimizer.safetensors`, and, last of all,
`state.json`, which names the other two with their sha256. In a run's folder the last one lies in
`checkpoint-N/`, until the next; those that are kept for good lie in `step-N/`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import safetensors
import safetensors.torch
from msgspec import UNSET, UnsetType
from safetensors import SafetensorError
from torch import Tensor

from assay.errors import InputError, UsageError
from assay.formats.run import (
    KEPT_PREFIX,
    LAST_PREFIX,
    MODEL,
    OPTIMIZER,
    STATE,
    ComputeSegment,
    SettingsChange,
)
from assay.formats.train_config import TrainConfig, record_config
from assay.storage.manifest import MANIFEST, FileEntry, check_file, enter_file
from assay.storage.publish import publish_bytes, sweep_temporaries
from assay.train.model.gpt import GPT
from assay.train.model.optimizer import Optimizer


class TrainState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run stands after `step` steps and `windows` windows.

    `bins` and `init` are the sha256 of the data's manifest and of its initial weights, "" where
    those were drawn; `coupled` names the arms that it was trained coupled with, and is unset where
    it was not. `loss_sum` over `loss_steps` is the loss since the last line of the metrics.
    `schedule` and `schedule_start` are those of `resume.ScheduleSegment`, `changes` the settings
    that were changed where it was resumed; `scale` is float16's loss scale, with the number of
    steps since it last changed, and `left_out` how many steps it left out; `computed` has the
    devices and dtypes, from its first step on.
    """

    step: int
    windows: int
    config: TrainConfig
    schedule: TrainConfig
    schedule_start: int
    changes: list[SettingsChange]
    bins: str
    init: str
    coupled: str | UnsetType = UNSET
    loss_sum: float
    loss_steps: int
    scale: tuple[float, int] | None = None
    left_out: int = 0
    computed: tuple[ComputeSegment, ...] = ()
    files: list[FileEntry] = []


def save_checkpoint(
    folder: Path, model: GPT, optimizer: Optimizer | None, state: TrainState
) -> TrainState:
    """Write a checkpoint to a folder that exists; without an optimizer it cannot be resumed."""
    parts = {MODEL: dict(model.state_dict())}
    if optimizer is not None:
        parts[OPTIMIZER] = {
            f"{name}/{key}": value
            for name, weight in model.named_parameters()
            for key, value in optimizer.get_state(weight).items()
        }
    entries = []
    for name, tensors in parts.items():
        whole = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
        publish_bytes(folder / name, safetensors.torch.save(whole))
        entries.append(enter_file(folder / name, folder))
    state = msgspec.structs.replace(state, files=entries)
    configs = {"config": record_config(state.config), "schedule": record_config(state.schedule)}
    built = msgspec.to_builtins(state) | configs
    text = msgspec.json.format(msgspec.json.encode(built), indent=2)
    publish_bytes(folder / STATE, text + b"\n")
    return state


def find_checkpoint(run: Path) -> Path | None:
    """Find the last whole checkpoint of a run: one whose state was written."""
    whole = list_kept_checkpoints(run) | _list(run, LAST_PREFIX)
    return whole[max(whole)] if whole else None


def list_kept_checkpoints(run: Path) -> dict[int, Path]:
    """List the whole checkpoints that a run keeps for good by their steps, the first first."""
    return dict(sorted(_list(run, KEPT_PREFIX).items()))


def remove_checkpoints(run: Path, *, but: Path | None = None) -> None:
    """Remove a run's checkpoints but one and those kept for good; incomplete ones, too."""
    stay = {but, *list_kept_checkpoints(run).values()}
    for path in [*run.glob(f"{LAST_PREFIX}*"), *run.glob(f"{KEPT_PREFIX}*")]:
        if path not in stay:
            for name in (STATE, MODEL, OPTIMIZER):  # the state first, so that none is ever half
                (path / name).unlink(missing_ok=True)
            sweep_temporaries(path)
            path.rmdir()


def read_saved_config(run: Path, origin: Path | None) -> TrainConfig | None:
    """Return the settings of a run that is to be resumed: its own, or those of its origin.

    Of a finished run the origin's, as at its start.

    Raises:
        UsageError: The origin is not a checkpoint. InputError: It cannot be read.
    """
    found = None if (run / MANIFEST).exists() else find_checkpoint(run)
    if origin is not None and not (origin / STATE).exists():
        raise UsageError(
            suggest_checkpoint(origin)
            or f"{origin} has no {STATE}; resume_from takes a run's folder or a checkpoint in one, "
            "init_from the weights of nanoGPT's ckpt.pt",
            "resume_from",
            "init_from",
        )
    found = found or origin
    return None if found is None else read_state(found).config


def suggest_checkpoint(folder: Path) -> str:
    """Suggest the checkpoint to name instead of an unfinished run's folder; "" if it has none."""
    inner = find_checkpoint(folder)
    return f"{folder} is an unfinished run; name its last checkpoint, {inner}" if inner else ""


def list_files(folder: Path) -> list[Path]:
    """List the files of a whole checkpoint."""
    return [path for name in (MODEL, OPTIMIZER, STATE) if (path := folder / name).exists()]


def _list(run: Path, prefix: str) -> dict[int, Path]:
    whole = [path for path in run.glob(f"{prefix}*") if (path / STATE).exists()]
    return {int(path.name.removeprefix(prefix)): path for path in whole}


def read_state(folder: Path) -> TrainState:
    """Read where a checkpoint stands; its files are compared with their sha256.

    Raises:
        InputError: It cannot be read. IntegrityError: A file differs.
    """
    path = folder / STATE
    try:
        state = msgspec.json.decode(path.read_bytes(), type=TrainState)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    for entry in state.files:
        check_file(folder, entry)
    return state


def read_vocab_rows(folder: Path) -> int:
    """Read how many ids a checkpoint's model has embeddings for, nothing else; InputError."""
    path = folder / MODEL
    with refuse_unreadable(f"{path} cannot be read"), safetensors.safe_open(path, "pt") as file:
        return int(file.get_slice("wte.weight").get_shape()[0])


@contextmanager
def refuse_unreadable(said: str) -> Iterator[None]:
    """Turn what safetensors and torch raise of weights into an InputError; `said` begins it."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError, KeyError) as error:
        raise InputError(f"{said}: {str(error).splitlines()[0]}") from error


def load_checkpoint(folder: Path, model: GPT, optimizer: Optimizer | None) -> None:
    """Put a checkpoint's weights, and moments, in place.

    Raises:
        InputError: A file is not safetensors, or of another model; or there are no moments.
    """
    if optimizer is not None and not (folder / OPTIMIZER).exists():
        raise InputError(
            f"{folder} has no {OPTIMIZER}, without which a run cannot be resumed; start from its "
            "weights alone (init_from)"
        )
    with refuse_unreadable(f"checkpoint {folder} does not fit this model"):
        model.load_state_dict(safetensors.torch.load_file(folder / MODEL))
        if optimizer is not None:
            restore_moments(model, optimizer, load_moments(folder))


def load_moments(folder: Path) -> dict[str, dict[str, Tensor]]:
    """Load what a checkpoint's optimizer kept of each weight; InputError."""
    kept: dict[str, dict[str, Tensor]] = {}
    with refuse_unreadable(f"{folder / OPTIMIZER} cannot be read"):
        for full, tensor in safetensors.torch.load_file(folder / OPTIMIZER).items():
            name, _, key = full.rpartition("/")
            kept.setdefault(name, {})[key] = tensor
    return kept


def restore_moments(
    model: GPT, optimizer: Optimizer, moments: dict[str, dict[str, Tensor]]
) -> None:
    """Restore what an optimizer kept of each weight; KeyError where one weight has nothing.

    An optimizer that has kept nothing of any has not stepped: float16 may leave out the first ones.
    """
    if not moments:
        return
    for name, weight in model.named_parameters():
        optimizer.set_state(weight, moments[name])
