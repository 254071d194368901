"""Arms: other data with the same settings, or other settings on the same data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import msgspec

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.config_checks import make_config
from assay.formats.train_config import TrainConfig
from assay.terminal.text import printable

# Settings that may differ from arm to arm: the held-out documents are read alike whatever they are.
VARIABLE_SETTINGS = (
    *("learning_rate", "min_lr", "warmup_iters", "schedule", "cooldown_share", "optimizer"),
    *("beta1", "beta2", "weight_decay", "grad_clip", "dropout", "max_iters", "lr_decay_iters"),
    *("arch", "n_layer", "n_head", "n_embd", "matrix_lr", "bias", "softcap", "value_embeds"),
    *("residual_scalars", "value_lr", "scalar_lr", "momentum"),
)
_REASONS = {
    "label_smoothing": "with it the loss is no longer a likelihood of the text, so arms could not "
    "be compared",
    "seed": "it is what the noise is measured by; ask for more seeds an arm",
    "block_size": "held-out documents would be read in other windows",
    "batch_size": "it changes how many tokens a step has; vary learning_rate or max_iters",
    "gradient_accumulation_steps": "it changes how many tokens a step has",
}
MAX_ARMS = 32


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm: its name, its data, and the settings of its runs.

    `stream` decides its seeds, with the comparison's own; no two arms share one. `settings` are
    those that set it apart, where arms differ in settings.
    """

    name: str
    bins: Bins
    config: TrainConfig
    stream: int
    settings: dict[str, Any] = field(default_factory=dict)


def make_data_arms(bins: Sequence[Bins], config: TrainConfig) -> list[Arm]:
    """Make an arm of each folder of bins, all with the same settings.

    Raises:
        UsageError: Fewer than two.
    """
    if len(bins) < 2:
        raise UsageError(
            "a comparison needs two folders of bins or more, or vary KEY=V1,V2 on one, got "
            f"{len(bins)}",
            "vary",
        )
    named = zip(name_arms(bins), bins, strict=True)
    return [Arm(name, each, config, place) for place, (name, each) in enumerate(named)]


def make_setting_arms(
    bins: Bins,
    variation: Sequence[Mapping[str, str]],
    settings: Mapping[str, Any],
    *,
    tokens: int | None = None,
) -> list[Arm]:
    """Make an arm of each value of a variation, all on the same bins; the first is the baseline.

    Args:
        bins: Their data.
        variation: As `make_variation` returns it.
        settings: What the arms have in common, by name.
        tokens: Budget of a run; not together with a varied `max_iters`.

    Raises:
        UsageError: A value does not fit, two arms are alike, or the budget is set twice.
    """
    names = set(variation[0])
    if "max_iters" in names and tokens is not None:
        raise UsageError(
            "vary max_iters sets each arm's budget; leave tokens out", "vary", "tokens"
        )
    end = None if "lr_decay_iters" in names else settings.get("lr_decay_iters")
    if "max_iters" in names and end is not None:
        raise UsageError(
            f"vary max_iters: lr_decay_iters {end} would end every arm's schedule at one step; "
            "change both, as max_iters+lr_decay_iters=1000+1000,2000+2000",
            "vary",
        )
    made = []
    for place, own in enumerate(variation):
        config = make_config({**settings, **own}, tokens=tokens)
        label = ", ".join(f"{name}={word}" for name, word in own.items())
        # As the config holds them, so that 1e-3 and 0.001 are one.
        settings_apart = {name: msgspec.to_builtins(getattr(config, name)) for name in own}
        made.append(Arm(printable(label), bins, config, place, settings_apart))
    for first, second in combinations(made, 2):
        if first.config == second.config:
            raise UsageError(f"vary: {first.name} and {second.name} are the same settings", "vary")
    return made


def make_variation(vary: str | Mapping[str, Sequence[Any]]) -> list[dict[str, str]]:
    """Return the settings that set each arm apart, as words, of what a caller names.

    Args:
        vary: `"dropout=0,0.1"`, or several settings in step, `"n_layer+n_embd=12+384,6+256"`; the
            same as a mapping: `{"n_layer": [12, 6], "n_embd": [384, 256]}`.

    >>> make_variation({"n_layer": [12, 6], "n_embd": [384, 256]})
    [{'n_layer': '12', 'n_embd': '384'}, {'n_layer': '6', 'n_embd': '256'}]

    Raises:
        UsageError: It has another form, names a setting that may not vary (with the reason),
            or has fewer than two values.
    """
    text = vary if isinstance(vary, str) else _spell(vary)
    key, mark, rest = text.partition("=")
    names = [part.strip() for part in key.split("+")]
    values = [[part.strip() for part in word.split("+")] for word in rest.split(",")]
    for name in names:
        if name in _REASONS:
            raise UsageError(f"{name} cannot be varied: {_REASONS[name]}")
        if name not in VARIABLE_SETTINGS:
            known = ", ".join(VARIABLE_SETTINGS)
            raise UsageError(f"{printable(name)!r} cannot be varied; these can: {known}")
    if len(set(names)) < len(names):
        raise UsageError(f"vary {printable(text)}: a setting is named twice", "vary")
    if not mark or not 2 <= len(values) <= MAX_ARMS:
        raise UsageError(
            f"vary {printable(text)}: needs KEY=V1,V2 with 2 to {MAX_ARMS} values, the "
            "baseline's first",
            "vary",
        )
    for words in values:
        if len(words) != len(names) or not all(words):
            raise UsageError(
                f"vary {printable(text)}: {'+'.join(words) or 'nothing'} has {len(words)} values "
                f"for {len(names)} settings",
                "vary",
            )
    return [dict(zip(names, words, strict=True)) for words in values]


def _spell(vary: Mapping[str, Sequence[Any]]) -> str:
    """Write a mapping as a command line has it."""
    rows = zip(*vary.values(), strict=False)
    words = [
        [str(each).lower() if isinstance(each, bool) else str(each) for each in row] for row in rows
    ]
    return "+".join(vary) + "=" + ",".join(map("+".join, words))


def name_arms(bins: Sequence[Bins]) -> list[str]:
    """Name arms by their folders; where two would be alike, by their place too."""
    names = [printable(each.folder.name or str(each.folder)) for each in bins]
    paths = [printable(str(each.folder)) for each in bins]
    numbered = [f"{name} ({place})" for place, name in enumerate(names, 1)]
    return next(found for found in (names, paths, numbered) if len(set(found)) == len(bins))


def differing_settings(arms: Sequence[Arm]) -> list[str]:
    """Name the settings in which arms differ, in the order of the config."""
    return [
        name
        for name in TrainConfig.__struct_fields__
        if len({str(getattr(arm.config, name)) for arm in arms}) > 1
    ]
