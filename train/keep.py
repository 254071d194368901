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

    def describe_missed(self, step: int, kept: Collection[int]) -> str:
        """Say which steps a run that goes on after `step` has passed and not kept; "" for none."""
        missed = sorted(each for each in self.steps if each <= step and each not in kept)
        if not missed:
            return ""
        steps = ", ".join(f"{each:,}" for each in missed)
        return f"--keep-checkpoints {steps}: passed already, and not kept"


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
