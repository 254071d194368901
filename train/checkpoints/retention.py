"""What the folder of a finished run keeps, beside its weights and losses."""

from collections.abc import Collection
from dataclasses import dataclass

from assay.errors import UsageError


@dataclass(frozen=True, slots=True)
class Keep:
    """What to keep: moments (twice the weights' size), nanoGPT's file, and checkpoints.

    Checkpoints are kept after each of `steps`, or whenever one is saved (`every`); each takes
    three times the weights' size.
    """

    optimizer: bool = True
    ckpt_pt: bool = False
    every: bool = False
    steps: frozenset[int] = frozenset()

    def keeps(self, step: int) -> bool:
        """Say whether the checkpoint saved after `step` steps is kept for good."""
        return self.every or step in self.steps

    def refuse_beyond(self, last: int) -> None:
        """Refuse steps that a run of `last` steps does not come to; UsageError."""
        beyond = [f"{step:,}" for step in sorted(self.steps) if step >= last]
        if beyond:
            raise UsageError(
                f"--keep-checkpoints {', '.join(beyond)}: the run ends after {last:,} steps, and "
                "its folder is the last checkpoint itself; name steps before that"
            )

    def tell_missed(self, step: int, last: int, interval: int, kept: Collection[int]) -> str:
        """Say what is asked for and will not be kept by a run that goes on from `step`, or ""."""
        past = [f"{at:,}" for at in sorted(self.steps) if at <= step and at not in kept]
        if past:
            return f"--keep-checkpoints {', '.join(past)}: not kept, the run goes on from {step:,}"
        if self.every and not 0 < interval < last:
            return "--keep-checkpoints all: none is saved before the end; --checkpoint-interval"
        return ""


def read_kept(text: str) -> tuple[bool, frozenset[int]]:
    """Read which checkpoints to keep: `all`, or steps.

    >>> read_kept("500,1000") == (False, frozenset({500, 1000})), read_kept("all")
    (True, (True, frozenset()))

    Raises:
        UsageError: It is neither.
    """
    words = [word.strip() for word in text.split(",")]
    if words == ["all"]:
        return True, frozenset()
    if not all(word.isascii() and word.isdecimal() and int(word) for word in words):
        raise UsageError(f"--keep-checkpoints {text!r}: needs all, or steps such as 500,1000")
    return False, frozenset(map(int, words))
