"""What must not be called: a finished folder is told again without it."""

import pytest


def forbid(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let the functions of these full names fail."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("done anew")

    for name in names:
        monkeypatch.setattr(name, fail)
