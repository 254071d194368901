"""A nanoGPT checkpoint's own settings: `ckpt.pt`, read without unpickling objects."""

from pathlib import Path
from typing import Any

from assay.errors import InputError, UsageError
from assay.laws.plans import Plan, make_plan

_PLAIN = bool | int | float | str  # kinds of settings


def read_checkpoint(path: Path) -> Plan:
    """Read the plan that a checkpoint of nanoGPT's carries; its weights stay on disk.

    Raises:
        UsageError: No such file, or torch is not installed.
        InputError: It is no checkpoint of nanoGPT's, or needs code to be loaded.
    """
    if not path.is_file():
        raise UsageError(f"no checkpoint at {path}")
    try:
        import torch
    except ImportError as error:
        raise UsageError(
            f"reading checkpoint {path} needs torch: pip install 'assay[train]'"
        ) from error
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        settings = dict(found["config"]) | dict(found["model_args"])
    except Exception as error:  # torch raises what its unpickler raises: many kinds
        raise InputError(
            f"checkpoint {path} is not nanoGPT's ({type(error).__name__}); needed: a ckpt.pt "
            "with config and model_args"
        ) from error
    known = {name: value for name, value in settings.items() if isinstance(value, _PLAIN)}
    return make_plan(known, name=str(path))
