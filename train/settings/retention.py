"""What the folder of a finished run keeps, beside its weights and losses."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from assay.errors import UsageError


@dataclass(frozen=True, slots=True)
class Retention:
    """What to keep: moments (twice the weights' size), nanoGPT's file, and checkpoints.

    Checkpoints are kept after each of `steps`, or whenever one is saved (`every`); each takes
    three times the weights' size.
    """

    optimizer: bool = True
    ckpt_pt: bool = False
    every: bool = False
    steps: frozenset[int] = frozenset()

    def keeps(self, step: int) -> bool:
        """Tell whether the checkpoint saved after `step` steps is kept for good."""
        return self.every or step in self.steps

    def refuse_beyond(self, last: int) -> None:
        """Refuse steps that a run of `last` steps does not come to; UsageError."""
        beyond = [f"{step:,}" for step in sorted(self.steps) if step >= last]
        if beyond:
            raise UsageError(
                f"keep_checkpoints must be steps below {last:,}, where the run ends and its folder "
                f"is the last checkpoint itself; got {', '.join(beyond)}",
                "keep_checkpoints",
            )

    def describe_missed(self, step: int, last: int, interval: int, kept: Collection[int]) -> str:
        """Say what is asked for and will not be kept by a run resumed at `step`; "" if nothing."""
        past = [f"{at:,}" for at in sorted(self.steps) if at <= step and at not in kept]
        if past:
            return (
                f"checkpoints after step {', '.join(past)} are not kept: the run resumes at step "
                f"{step:,}"
            )
        if self.every and not 0 < interval < last:
            return "no checkpoint is kept: none is saved before the run ends (checkpoint interval)"
        return ""


def make_retention(
    keep_checkpoints: str | Iterable[int] = (), *, ckpt_pt: bool = False
) -> Retention:
    """Make a retention of what a caller asks for.

    Args:
        keep_checkpoints: "all", steps as text ("500,1000"), or steps.
        ckpt_pt: Whether to write nanoGPT's `ckpt.pt`, too.

    Raises:
        UsageError: It is none of these.

    >>> sorted(make_retention("500,1000").steps), make_retention("all").every
    ([500, 1000], True)
    """
    words = (
        [word.strip() for word in keep_checkpoints.split(",") if keep_checkpoints.strip()]
        if isinstance(keep_checkpoints, str)
        else [str(step) for step in keep_checkpoints]
    )
    if words == ["all"]:
        return Retention(ckpt_pt=ckpt_pt, every=True)
    if not all(word.isascii() and word.isdecimal() and int(word) for word in words):
        raise UsageError(
            f"keep_checkpoints must be all, or steps such as 500,1000, got {keep_checkpoints!r}",
            "keep_checkpoints",
        )
    return Retention(ckpt_pt=ckpt_pt, steps=frozenset(map(int, words)))
