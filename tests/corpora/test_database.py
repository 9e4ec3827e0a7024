"""The database: which SQLite, how it is opened, units of work, versions, and what it says when it cannot."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

import api.accounts.tables
import api.mail.tables  # noqa: F401 - with the tables of accounts and mail, the one chain makes all there are
from corpora import tables
from corpora.database import (
    MIGRATIONS,
    SQLITE_REQUIRED,
    DatabaseError,
    open_engine,
    reading,
    sqlite_module,
    unit_of_work,
    upgrade,
)
from corpora.model import Need
from corpora.need_store import Needs
from corpora.store import Records

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def need(name: str) -> Need:
    return Need(name, "Wie last dun aluminium?", "nl", NOW, NOW + timedelta(days=30))


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run without root's right to ignore permissions; files are reached with the rights of an ordinary user."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that another user can reach (pytest's own are closed to others)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


class TestWhichSqlite:
    def test_the_library_in_use_is_new_enough(self, engine: Engine) -> None:
        with reading(engine) as session:
            version = session.execute(text("SELECT sqlite_version()")).scalar_one()
        assert tuple(map(int, version.split("."))) >= SQLITE_REQUIRED

    def test_the_package_is_taken_where_the_system_is_older(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite3, "sqlite_version", "3.40.1")
        assert sqlite_module().__name__ == "pysqlite3.dbapi2"

    def test_the_system_is_taken_where_it_is_new_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite3, "sqlite_version", "3.51.3")
        assert sqlite_module() is sqlite3

    def test_it_refuses_where_neither_is(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        import pysqlite3.dbapi2

        monkeypatch.setattr(sqlite3, "sqlite_version", "3.40.1")
        monkeypatch.setattr(pysqlite3.dbapi2, "sqlite_version", "3.51.2")
        with pytest.raises(DatabaseError) as caught:
            open_engine(tmp_path / "x.sqlite")
        assert str(caught.value) == (
            "SQLite 3.51.3 or newer is needed, because earlier ones can damage the database; Python's own library "
            "is 3.40.1, that of the package pysqlite3 is 3.51.2. Install a newer one with: "
            "pip install --upgrade pysqlite3"
        )
        assert not (tmp_path / "x.sqlite").exists()

    def test_it_says_where_the_package_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite3, "sqlite_version", "3.40.1")
        monkeypatch.setitem(sys.modules, "pysqlite3.dbapi2", None)
        with pytest.raises(DatabaseError, match="and the package pysqlite3 is not installed"):
            sqlite_module()


class TestOpening:
    @pytest.mark.parametrize(
        ("pragma", "value"),
        [
            ("journal_mode", "wal"),
            ("foreign_keys", 1),
            ("synchronous", 1),
            ("busy_timeout", 10_000),
            ("secure_delete", 1),
        ],
    )
    def test_pragmas(self, engine: Engine, pragma: str, value: object) -> None:
        with reading(engine) as session:
            assert session.execute(text(f"PRAGMA {pragma}")).scalar_one() == value

    def test_a_database_in_memory(self) -> None:
        engine = open_engine("sqlite://")
        upgrade(engine)
        with unit_of_work(engine) as session:
            Needs(session).add(need("n"))
        with reading(engine) as session:
            assert Records(session).counts().needs == 1
        engine.dispose()

    def test_a_url_that_is_none_hides_what_was_given(self) -> None:
        with pytest.raises(DatabaseError, match="expected a path or a URL such as postgresql") as caught:
            open_engine("postgres+:secret://x")
        assert "secret" not in str(caught.value)

    def test_a_missing_driver_is_named(self) -> None:
        with pytest.raises(
            DatabaseError, match=r"cannot open postgresql\+psycopg://me:\*\*\*@nowhere/k: .*driver"
        ) as caught:
            open_engine("postgresql+psycopg://me:secret@nowhere/k")
        assert "secret" not in str(caught.value)

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "k.sqlite").write_bytes(b"no database at all, only some text" * 40)
        with pytest.raises(DatabaseError, match=r"k.sqlite: the file is no SQLite database; move it away"):
            open_engine(tmp_path / "k.sqlite")

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(
            DatabaseError, match=r"cannot make the data folder .*file.*; give this user write access"
        ):
            open_engine(tmp_path / "file" / "k.sqlite")


class TestReadOnlyAndFull:
    def test_a_read_only_folder_without_a_database(self, public_folder: Path) -> None:
        with (
            as_nobody(),
            pytest.raises(DatabaseError, match="the file cannot be opened or made; check that the folder"),
        ):
            open_engine(public_folder / "k.sqlite")
        assert list(public_folder.iterdir()) == []

    def test_a_read_only_folder_in_one_that_cannot_be_written(self, public_folder: Path) -> None:
        with (
            as_nobody(),
            pytest.raises(DatabaseError, match=r"cannot make the data folder .*Permission denied"),
        ):
            open_engine(public_folder / "data" / "k.sqlite")

    def test_a_read_only_database(self, public_folder: Path) -> None:
        path = public_folder / "k.sqlite"
        engine = open_engine(path)
        upgrade(engine)
        engine.dispose()
        path.chmod(0o444)
        with (
            as_nobody(),
            pytest.raises(DatabaseError, match=r"read-only; give this user write access|cannot be opened"),
            unit_of_work(open_engine(path)) as session,
        ):
            Needs(session).add(need("n"))

    def test_a_full_disk_leaves_nothing_half_written(self, engine: Engine) -> None:
        with reading(engine) as session:
            pages = session.execute(text("PRAGMA page_count")).scalar_one()
        big = Need("big", "x" * 1_000_000, "nl", NOW, NOW + timedelta(days=30))
        with (
            pytest.raises(
                DatabaseError, match=r"the disk \(or the database's quota\) is full; nothing was stored"
            ),
            unit_of_work(engine) as session,
        ):
            session.execute(text(f"PRAGMA max_page_count = {pages + 10}"))
            Needs(session).add(need("small"))
            Needs(session).add(big)
        with reading(engine) as session:
            assert Records(session).counts().needs == 0


class TestUnitsOfWork:
    def test_it_commits_at_the_end(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            Needs(session).add(need("n"))
        with reading(engine) as session:
            assert Records(session).counts().needs == 1

    def test_it_rolls_back_on_an_error(self, engine: Engine) -> None:
        with pytest.raises(ZeroDivisionError), unit_of_work(engine) as session:
            Needs(session).add(need("n"))
            _ = 1 / 0
        with reading(engine) as session:
            assert Records(session).counts().needs == 0

    def test_a_reader_sees_one_moment_and_stops_no_writer(self, engine: Engine) -> None:
        with reading(engine) as session:
            assert Records(session).counts().needs == 0
            with unit_of_work(engine) as other:
                Needs(other).add(need("n"))
            assert Records(session).counts().needs == 0
        with reading(engine) as session:
            assert Records(session).counts().needs == 1

    def test_writers_wait_for_each_other(self, engine: Engine) -> None:
        def add(name: str) -> None:
            with unit_of_work(engine) as session:
                count = Records(session).counts().needs
                Needs(session).add(need(f"{name}-{count}"))

        threads = [threading.Thread(target=add, args=(str(number),)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with reading(engine) as session:
            names = session.scalars(text("SELECT id FROM need")).all()
        assert sorted(name.split("-")[1] for name in names) == [str(number) for number in range(8)]

    def test_nothing_is_kept_of_what_a_reader_changes(self, engine: Engine) -> None:
        with reading(engine) as session:
            Needs(session).add(need("n"))
        with reading(engine) as session:
            assert Records(session).counts().needs == 0


class TestVersions:
    def test_the_migrations_make_the_tables_of_the_program(self, engine: Engine) -> None:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, tables.metadata) == []

    def test_upgrading_again_changes_nothing_and_takes_no_lock(self, engine: Engine) -> None:
        with unit_of_work(engine):  # another process is writing
            upgrade(engine)

    def test_a_newer_database_is_refused(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(DatabaseError) as caught:
            upgrade(engine)
        newest = sorted(path.name for path in (MIGRATIONS / "versions").glob("*.py"))[-1][:4]
        assert str(caught.value) == (
            "the database is newer than this program: it has version 9999, the newest that this program knows is "
            f"{newest}; install the newer program, or restore the backup that was made before the upgrade"
        )

    def test_every_migration_has_one_successor(self) -> None:
        names = [path.name for path in sorted((MIGRATIONS / "versions").glob("*.py"))]
        assert names[0] == "0001_records.py"
        assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))

    def test_it_runs_from_another_folder_and_in_another_process(self, tmp_path: Path) -> None:
        program = "import sys; from corpora.database import *; upgrade(open_engine(sys.argv[1]))"
        root = str(Path(__file__).parents[2])
        for _ in range(2):
            subprocess.run(
                [sys.executable, "-c", program, str(tmp_path / "k.sqlite")],
                cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}, check=True, capture_output=True,
            )  # fmt: skip
        assert (tmp_path / "k.sqlite").stat().st_size > 0
