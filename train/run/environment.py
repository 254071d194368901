"""What a process finds: torch or not, and how many processes torchrun started. Needs no torch."""

import os

from assay.errors import UsageError


def require_torch() -> None:
    """Refuse to train without torch and safetensors; UsageError."""
    try:
        import safetensors
        import torch  # noqa: F401  # looked for, not used
    except ImportError as error:
        raise UsageError(
            f"training needs torch and safetensors ({error.name} is missing); "
            "pip install 'assay[train]'"
        ) from error
    assert safetensors


def count_processes() -> int:
    """Return how many processes torchrun started; 1 where it did not."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_rank0() -> bool:
    """Whether this process is torchrun's first, or the only one."""
    return int(os.environ.get("RANK", "0")) == 0


def refuse_torchrun(verb: str) -> None:
    """Refuse to be one of torchrun's processes: only `train` shares its steps; UsageError."""
    if count_processes() > 1:
        raise UsageError(
            f"assay {verb} runs in one process; leave torchrun out (several GPUs: assay compare "
            "--devices cuda:0,cuda:1)"
        )
