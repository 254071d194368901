"""What tests of the command line look at: folders as they were, errors of one line."""

from pathlib import Path


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder below, with contents."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def assert_one_line(err: str) -> None:
    """One line and no more, but for what a first run says of its kernels."""
    err = "".join(line for line in err.splitlines(True) if not line.startswith("compil"))
    assert err.startswith("assay: ")
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1
    assert not any(ord(char) < 32 or ord(char) == 0x202E for char in err[:-1])
