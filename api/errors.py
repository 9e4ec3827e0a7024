"""Which errors a person is told about in one sentence, and how."""

from __future__ import annotations

import errno


class CommandError(Exception):
    """A command cannot do what was asked: what was expected, what was found, what to do."""


_ADVICE = {
    errno.ENOSPC: "the disk is full: make room there or name another folder, then run the command again",
    errno.EROFS: "the disk is read-only: name a folder that can be written with --data",
    errno.EACCES: "this user may not: change its rights, or name another folder with --data",
    errno.EPERM: "this user may not: change its rights, or name another folder with --data",
    errno.ENOENT: "no such file or folder: check the name",
    errno.EISDIR: "it is a folder: name a file",
    errno.ENOTDIR: "a part of that path is no folder: check the name",
}


def expected_errors() -> tuple[type[Exception], ...]:
    """Errors whose message tells what was expected, what was found and what to do."""
    from sqlalchemy.exc import DatabaseError

    from api.accounts.roles import RoleError
    from api.archive_file import ArchiveError
    from api.settings import SettingsError
    from corpora.connectors.collection import CollectionError
    from corpora.database import DatabaseError as RecordsError
    from corpora.errors import StoreError
    from embeddings.encoders import EncoderError
    from embeddings.vectors import VectorIndexError
    from matcher.evaluation.experiment import EvaluationError
    from matcher.generations import GenerationError
    from matcher.indexing import IndexingError
    from matcher.locks import LockError
    from matcher.model import NeedError

    return (
        CommandError, RoleError, ArchiveError, SettingsError, LockError, GenerationError, IndexingError, EncoderError,
        VectorIndexError, NeedError, StoreError, CollectionError, EvaluationError, RecordsError, DatabaseError, OSError,
    )  # fmt: skip


def message_of(error: Exception) -> str:
    """One message for a person, without the insides."""
    from sqlalchemy.exc import DatabaseError

    if isinstance(error, OSError) and error.errno is not None:
        place = f" {error.filename}" if error.filename else ""
        return f"cannot use{place}: {_ADVICE.get(error.errno, error.strerror or 'the system refused')}"
    if isinstance(error, DatabaseError):
        reason = str(error.orig)
        if "readonly" in reason:
            return (
                "expected a data folder that can be written, found a read-only one; name another with --data"
            )
        if "full" in reason:
            return f"expected room in the data folder, but {_ADVICE[errno.ENOSPC]}"
        return (
            f"the records cannot be used: {reason}; restore a backup with `kennismatch restore FILE --force`"
        )
    return str(error)
