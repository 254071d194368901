"""What can go wrong, for callers to catch and for the command line to print.

Each message names what was found, what was needed and, where one is known, the next step,
on one line. The class decides the exit code (docs/contracts.md).
"""


class AssayError(Exception):
    """Base of all errors that a user can mend; exit code 5 unless a child says otherwise.

    The message speaks of a function's parameters, and `parameters` are those of them that it
    names: `UsageError(f"val_share must be between 0 and 1, got {share}", "val_share")`. The
    command line puts its options in their place.
    """

    exit_code = 5

    def __init__(self, message: str, *parameters: str) -> None:
        super().__init__(message)
        self.parameters = parameters


class UsageError(AssayError):
    """The request cannot be met: a path that is not there, settings that contradict."""

    exit_code = 2


class InputError(AssayError):
    """An input is unreadable, corrupt, of the wrong form, or holds no document."""

    exit_code = 3


class ShardError(InputError):
    """A shard is unreadable, corrupt or lacks its text column.

    `shard` is its number where that was found only while its documents were read, else None.
    """

    def __init__(self, message: str, *parameters: str, shard: int | None = None) -> None:
        super().__init__(message, *parameters)
        self.shard = shard


class TextError(InputError):
    """A text cannot be worked on; `document` is its place in the batch, where there is one."""

    document: int | None = None


class IntegrityError(InputError):
    """A file does not match the manifest that vouches for it."""


class SpaceError(AssayError):
    """The disk is full; nothing under a final name was touched."""


class TokenizerError(AssayError):
    """The tokenizer is missing, altered, or disagrees with its reference."""


class Interrupted(KeyboardInterrupt):
    """A signal stopped the work after it had saved itself; the message says where it goes on.

    No `Exception`: what handles errors is not to go on. `exit_code` is a shell's for the signal.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number
