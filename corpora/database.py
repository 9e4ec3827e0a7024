"""The database: engine, units of work and the schema's version.

SQLite by default, through `pysqlite3` where the system's library is too old; PostgreSQL by URL. Everything
that is SQLite's alone (pragmas, how a transaction begins) lives here, so that the stores stay portable.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session

log = structlog.get_logger(__name__)

SQLITE_REQUIRED = (3, 51, 3)
"""Earlier libraries can corrupt a database in WAL mode (docs/decisions.md)."""

BUSY_TIMEOUT_MS = 10_000
"""How long a writer waits for another; an import batch of 100 profiles takes well under a second."""

MIGRATIONS = Path(__file__).parent / "migrations"

# A fragment of SQLite's own message, and what it means to the operator.
_TROUBLES = (
    (
        "readonly",
        "the data folder or the database in it is read-only; give this user write access to it, "
        "or name another folder with --data",
    ),
    (
        "unable to open",
        "the file cannot be opened or made; check that the folder exists, that this user "
        "may write in it, or name another folder with --data",
    ),
    (
        "disk is full",
        "the disk (or the database's quota) is full; nothing was stored of this step; "
        "free some space and run it again",
    ),
    (
        "disk i/o error",
        "the disk failed to read or write (often: full, or a network folder); check it and run it again",
    ),
    (
        "locked",
        f"another process has been writing for more than {BUSY_TIMEOUT_MS // 1000} seconds; wait "
        "until it is done and try again",
    ),
    ("not a database", "the file is no SQLite database; move it away or name another folder with --data"),
    ("malformed", "the database is damaged; restore the last backup (kennismatch restore)"),
)


class DatabaseError(RuntimeError):
    """The database cannot be used. The message says what was expected, what was found, what to do."""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def sqlite_module() -> ModuleType:
    """Return the first SQLite driver whose library is new enough: the system's, else `pysqlite3`.

    Raises `DatabaseError` when neither is.
    """
    wanted = ".".join(map(str, SQLITE_REQUIRED))
    if _numbers(sqlite3.sqlite_version) >= SQLITE_REQUIRED:
        return sqlite3
    found = f"Python's own library is {sqlite3.sqlite_version}"
    try:
        import pysqlite3.dbapi2 as newer
    except ImportError:
        found += ", and the package pysqlite3 is not installed"
    else:
        if _numbers(newer.sqlite_version) >= SQLITE_REQUIRED:
            module: ModuleType = newer
            return module
        found += f", that of the package pysqlite3 is {newer.sqlite_version}"
    raise DatabaseError(
        f"SQLite {wanted} or newer is needed, because earlier ones can damage the database; {found}. "
        "Install a newer one with: pip install --upgrade pysqlite3"
    )


def open_engine(url_or_path: str | Path) -> Engine:
    """Open the database at a path (SQLite, made when absent) or at a SQLAlchemy URL, and connect once.

    Makes the folder of an SQLite file. Raises `DatabaseError` when the library is too old, or the file or
    server cannot be opened.
    """
    text = str(url_or_path)
    if "://" in text:
        try:
            url = sqlalchemy.make_url(text)
        except ArgumentError as error:
            raise DatabaseError(
                "expected a path or a URL such as postgresql+psycopg://user@host/name; what was found is no "
                "URL that SQLAlchemy reads (not shown: it may hold a password)"
            ) from error
    else:
        url = sqlalchemy.URL.create("sqlite", database=text)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url)
    try:
        engine = sqlalchemy.create_engine(url, pool_pre_ping=True)
        with engine.connect():
            pass
    except (DBAPIError, ImportError, sqlalchemy.exc.NoSuchModuleError) as error:
        raise DatabaseError(
            f"cannot open {url.render_as_string(hide_password=True)}: {error}; check that the server runs, "
            "that the name and password are right and that its driver is installed"
        ) from error
    return engine


def _open_sqlite(url: sqlalchemy.URL) -> Engine:
    module = sqlite_module()
    if url.database and url.database != ":memory:":
        folder = Path(url.database).absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(
                f"cannot make the data folder {folder}: {error.strerror}; give this user write access, or "
                "name another folder with --data"
            ) from error
    engine = sqlalchemy.create_engine(url, module=module)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    with _explained(engine), engine.connect():
        pass
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: it would leave reads outside of them.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "foreign_keys=ON",
        "synchronous=NORMAL",
        "secure_delete=ON",  # an erased text is overwritten, not only unlinked
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A writer takes the lock at once: a transaction that reads first and writes later would fail without
    # waiting when another has written in between (SQLITE_BUSY_SNAPSHOT).
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def unit_of_work(engine: Engine) -> Iterator[Session]:
    """Give a session that may write; commit at exit, roll back on any error.

    On SQLite it holds the only write lock: keep it short, and use `reading` for what only reads.
    Raises `DatabaseError` when the database cannot be written.
    """
    with (
        _explained(engine),
        engine.connect().execution_options(writes=True) as connection,
        Session(connection) as session,
        session.begin(),
    ):
        yield session


def settle(engine: Engine) -> None:
    """Write SQLite's log into the database and empty it, so that what was erased is in neither.

    Others that read at that moment keep the log as it is; what they leave is overwritten with the next writes.
    """
    if engine.dialect.name != "sqlite":
        return
    with _explained(engine):
        connection = engine.raw_connection()  # a transaction, which the engine begins, would be in the way
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Give a session that sees one unchanging snapshot and blocks no writer; nothing is committed."""
    with _explained(engine), engine.connect() as connection, Session(connection) as session:
        yield session


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        message = str(error.orig)
        for sign, meaning in _TROUBLES:
            if sign in message.lower():
                name = engine.url.render_as_string(hide_password=True)
                raise DatabaseError(f"{name}: {meaning} (the database says: {message})") from error
        raise


def upgrade(engine: Engine) -> None:
    """Bring the tables to this program's version: the whole chain in one transaction, or none of it.

    Takes no write lock when nothing is to be done, so that a command can run beside a busy server.
    Raises `DatabaseError` when the database is newer than this program.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    head = script.get_current_head()
    with _explained(engine), engine.connect() as connection:
        if _checked_revision(connection, script) == head:
            return
    with (
        _explained(engine),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        before = _checked_revision(connection, script)
        if before != head:  # another process may have been first
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            log.info("database_upgraded", before=before, now=head)


def _checked_revision(connection: Connection, script: ScriptDirectory) -> str | None:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in script.walk_revisions()}
    if current is not None and current not in known:
        raise DatabaseError(
            f"the database is newer than this program: it has version {current}, the newest that this "
            f"program knows is {script.get_current_head()}; install the newer program, or restore the "
            "backup that was made before the upgrade"
        )
    return current
