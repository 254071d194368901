"""Kinds of values that several verbs take."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

import click

from assay.errors import UsageError

T = TypeVar("T", bound=Any)
_KINDS = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "True or False"),
}
_SUFFIXES = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000, "g": 1_000_000_000}
_NUMBER = re.compile(r"^([0-9][0-9_,]*(?:\.[0-9]+)?)([kmbg]?)$")


def read_count(text: str) -> int | None:
    """Read a whole number such as 5000, 36M or 0.1B; None where it is none, or under 1.

    >>> read_count("0.73B"), read_count("1_000"), read_count("2G"), read_count("many")
    (730000000, 1000, 2000000000, None)
    """
    match = _NUMBER.match(text.strip().lower())
    if match is None:
        return None
    digits, suffix = match.groups()
    number = round(float(digits.replace(",", "").replace("_", "")) * _SUFFIXES[suffix])
    return number if number >= 1 else None


def to_count(value: int | str | None, parameter: str) -> int | None:
    """Return a count that a caller gave as a number or as text; None stays None.

    >>> to_count("100M", "tokens"), to_count(None, "tokens")
    (100000000, None)

    Raises:
        UsageError: It is no whole number of at least 1; the message names the parameter.
    """
    if value is None or (isinstance(value, int) and value >= 1):
        return value
    number = read_count(value) if isinstance(value, str) else None
    if number is None:
        raise UsageError(
            f"{parameter} must be a number such as 5000, 36M or 0.1B, got {value!r}", parameter
        )
    return number


def change_settings(settings: T, changes: Mapping[str, Any]) -> T:
    """Put single settings in the place of those of a dataclass.

    Raises:
        UsageError: There is no such setting, or its value is of another kind.
    """
    kinds = {each.name: set(re.findall(r"\w+", str(each.type))) for each in fields(settings)}
    for name, value in changes.items():
        if name not in kinds:
            close = difflib.get_close_matches(name, kinds, 1)
            meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(kinds)}"
            raise UsageError(f"no setting {name!r}; {meant}", name)
        for kind, (types, wanted) in _KINDS.items():
            plain = kinds[name] <= {kind, "None", "NoneType", "class"}
            if plain and value is not None and (type(value) not in types):
                raise UsageError(f"{name} must be {wanted}, got {value!r}", name)
    return replace(settings, **changes)


class Count(click.ParamType[int]):
    """A whole number, as 100000000, 100_000_000, 100M or 0.1B."""

    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Read a number of tokens or documents; at least 1."""
        if isinstance(value, int):
            return value
        number = read_count(str(value))
        if number is None:
            self.fail(f"{value!r} is not a number such as 5000, 36M or 0.1B", param, ctx)
        return number


COUNT = Count()
