"""The audit log: what is written down, and what shows when somebody changes it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, update
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from api.accounts import audit
from api.accounts.audit import COMMAND_LINE, Action, Actor, by_session, erase, record, verify, verify_all
from api.accounts.audit_store import AuditRows, Entry, Part
from api.accounts.model import Role
from api.accounts.tables import audit_entry, audit_part
from api.cli import app
from corpora.database import open_engine, reading, sqlite_module, unit_of_work, upgrade
from tests.accounts.conftest import START, Site, send

N_ROWS = 6


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with six rows; rows 2 and 5 are of "anna", row 3 is about her."""
    folder = tmp_path / "data"
    engine = open_engine(folder / "kennismatch.sqlite")
    upgrade(engine)
    with unit_of_work(engine) as session:
        record(session, START, Action.ACCOUNT_MADE, COMMAND_LINE, "bert", address="bert@example.org")
        record(session, START, Action.SIGNED_IN, by_session("anna"), device="Firefox, Linux")
        record(
            session, START, Action.ROLE_GRANTED, by_session("bert"), "anna", role="officer", organisation="tu"
        )
        record(session, START, Action.SIGNED_OUT, by_session("bert"))
        record(session, START, Action.SIGNED_OUT, by_session("anna"))
        record(session, START, Action.SIGNED_IN, by_session("bert"), device="")
    engine.dispose()
    return folder


@pytest.fixture
def engine(data: Path) -> Iterator[Engine]:
    opened = open_engine(data / "kennismatch.sqlite")
    yield opened
    opened.dispose()


@pytest.fixture
def run(data: Path) -> Callable[..., tuple[int, str]]:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["--data", str(data), "audit", *arguments])
        structlog.reset_defaults()
        return result.exit_code, " ".join(result.output.split())

    return run


def tamper(data: Path, *statements: str) -> None:
    """What somebody can do who may write the file: the triggers go first."""
    connection = sqlite_module().connect(data / "kennismatch.sqlite")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement
    connection.commit()
    connection.close()


class TestVerify:
    def test_a_log_as_it_was_written(self, run: Callable[..., tuple[int, str]]) -> None:
        status, told = run("verify")
        assert status == 0
        assert re.fullmatch(r"6 rows hold; 0 parts were erased\. Last hash: [0-9a-f]{64}", told)

    @pytest.mark.parametrize(
        ("statement", "row", "reason"),
        [
            ("UPDATE audit_entry SET action = 'signed_out' WHERE seq = 3", 3, "it has been changed"),
            ("UPDATE audit_entry SET at = '2020-01-01' WHERE seq = 1", 1, "it has been changed"),
            ("UPDATE audit_entry SET parts = '{}' WHERE seq = 6", 6, "it has been changed"),
            ("UPDATE audit_entry SET hash = previous WHERE seq = 2", 2, "it has been changed"),
            ("UPDATE audit_entry SET previous = hash WHERE seq = 4", 4, "it does not follow"),
            ("UPDATE audit_entry SET action = x'ff' WHERE seq = 2", 2, "it has been changed"),
            ("DELETE FROM audit_entry WHERE seq = 4", 4, "it is missing: the next row is 5"),
            ("UPDATE audit_entry SET seq = seq + 10 WHERE seq = 6", 6, "it is missing: the next row is 16"),
            ("UPDATE audit_part SET content = '{}' WHERE seq = 3 AND name = 'subject'", 3, "its part 'subject' has been changed"),
            ("UPDATE audit_part SET salt = 'x' WHERE seq = 5", 5, "its part 'actor' has been changed"),
            ("DELETE FROM audit_part WHERE seq = 2", 2, "its part 'actor' is missing, and no row says that it was erased"),
            ("UPDATE audit_part SET name = 'other' WHERE seq = 4", 4, "its part 'other' has been changed"),
        ],
    )  # fmt: skip
    def test_the_first_bad_row_is_named(
        self, data: Path, run: Callable[..., tuple[int, str]], statement: str, row: int, reason: str
    ) -> None:
        tamper(data, statement)
        status, told = run("verify")
        assert status == 1
        assert f"row {row}: {reason}" in told
        assert f"the {row - 1} rows before it hold" in told

    def test_a_row_that_was_hashed_anew_breaks_the_next(
        self, data: Path, run: Callable[..., tuple[int, str]]
    ) -> None:
        connection = sqlite_module().connect(data / "kennismatch.sqlite")
        row = connection.execute("SELECT seq, at, parts, previous FROM audit_entry WHERE seq = 3").fetchone()
        connection.close()
        forged = audit._chain_hash(row[0], row[1], "key_made", row[2], row[3])
        tamper(data, f"UPDATE audit_entry SET action = 'key_made', hash = '{forged}' WHERE seq = 3")
        assert "row 4: it does not follow from the row before it" in run("verify")[1]

    def test_rows_cut_off_at_the_end_show_by_a_hash_kept_elsewhere(
        self, data: Path, run: Callable[..., tuple[int, str]]
    ) -> None:
        head = run("verify")[1].rpartition(" ")[2]
        assert run("verify", "--head", head)[0] == 0
        tamper(data, "DELETE FROM audit_part WHERE seq = 6", "DELETE FROM audit_entry WHERE seq = 6")
        assert run("verify")[0] == 0
        status, told = run("verify", "--head", head)
        assert status == 1
        assert f"row 6: the row with the hash {head} is missing" in told

    def test_an_empty_log_holds(self, tmp_path: Path) -> None:
        assert verify([]) == audit.Verdict(0, 0, audit.FIRST, None)


class TestTheDatabaseRefuses:
    @pytest.mark.parametrize(
        ("statement", "says"),
        [
            (update(audit_entry).values(action="x"), "never changed"),
            (delete(audit_entry), "never deleted"),
            (update(audit_part).values(content="{}"), "never changed"),
            (
                insert(audit_entry)
                .prefix_with("OR REPLACE")
                .values(seq=3, at="", action="", parts="", previous="", hash=""),
                "never replaced",
            ),
        ],
    )
    def test_to_change_what_was_written(self, engine: Engine, statement: object, says: str) -> None:
        with pytest.raises(DBAPIError, match=says), unit_of_work(engine) as session:
            session.execute(statement)  # type: ignore[call-overload]
        with reading(engine) as session:
            assert verify_all(session).bad is None


class TestErasure:
    def test_the_words_go_and_the_chain_holds(
        self, engine: Engine, data: Path, run: Callable[..., tuple[int, str]]
    ) -> None:
        with unit_of_work(engine) as session:
            assert erase(session, START, "anna", "session") == 3
        with reading(engine) as session:
            found = verify_all(session)
            assert (found.n_entries, found.n_erased, found.bad) == (7, 3, None)
            assert AuditRows(session).of_person("anna") == []
        engine.dispose()
        assert run("verify")[1].startswith("7 rows hold; 3 parts were erased.")
        held = b"".join(path.read_bytes() for path in data.iterdir() if path.is_file())
        assert b"Firefox, Linux" not in held  # overwritten, not only unlinked
        assert b"bert@example.org" in held
        assert b"anna" not in held

    def test_a_part_that_others_took_away_still_shows(self, engine: Engine, data: Path, run: Callable[..., tuple[int, str]]) -> None:  # fmt: skip
        with unit_of_work(engine) as session:
            erase(session, START, "anna", "session")
        tamper(data, "DELETE FROM audit_part WHERE seq = 4")
        assert "row 4: its part 'actor' is missing, and no row says that it was erased" in run("verify")[1]

    def test_erasing_twice_is_two_rows_and_no_fault(self, engine: Engine) -> None:
        with unit_of_work(engine) as session:
            assert (erase(session, START, "anna", "x"), erase(session, START, "anna", "x")) == (3, 0)
            assert verify_all(session).bad is None


class Rows:
    """A log without a database."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def last(self) -> tuple[int, str] | None:
        return (self.entries[-1].seq, self.entries[-1].hash) if self.entries else None

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)


@given(
    st.lists(st.tuples(st.sampled_from(list(Action)), st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=12),
    st.data(),
)  # fmt: skip
def test_any_change_to_any_row_is_found_at_that_row(
    acts: list[tuple[Action, str, str]], data: st.DataObject
) -> None:
    rows = Rows()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "AuditRows", lambda session: rows)
        for action, who, fact in acts:
            record(None, START, action, Actor(who, "test"), fact=fact)  # type: ignore[arg-type]
    assert verify(rows.entries).bad is None
    at = data.draw(st.integers(0, len(rows.entries) - 1))
    entry, other = rows.entries[at], data.draw(st.text(max_size=20))
    field = data.draw(st.sampled_from(["at", "action", "parts_text", "previous", "hash", "content", "salt"]))
    values = {name: getattr(entry, name) for name in Entry.__slots__}
    if field in ("content", "salt"):
        part = entry.parts[0]
        changed = {name: getattr(part, name) for name in Part.__slots__} | {field: other}
        if getattr(part, field) == other:
            return
        values["parts"] = (Part(**changed),)
    elif values[field] == other:
        return
    else:
        values[field] = other
    tampered = [*rows.entries[:at], Entry(**values), *rows.entries[at + 1 :]]
    found = verify(tampered)
    assert found.bad is not None
    assert found.bad.seq == at + 1


class TestWhatIsWrittenDown:
    def test_the_acts_of_a_day(self, site: Site) -> None:
        admin = site.administrator()
        send(admin, "/people", address="o@example.org", role="officer")
        officer = site.signed_in("o@example.org")
        send(officer, "/account", name="Olga", language="nl")
        send(officer, "/sign-out")
        person = site.read(lambda session: _id_of(session, "o@example.org"))
        send(admin, f"/people/{person}/revoke", role="officer")
        actions = site.read(lambda session: [entry.action for entry in AuditRows(session).all()])
        assert actions == [
            "account_made", "role_granted", "signed_in", "account_made", "role_granted", "signed_in",
            "account_changed", "signed_out", "role_revoked",
        ]  # fmt: skip
        assert site.read(verify_all).bad is None

    def test_what_changed_nothing_is_not_written_down(self, site: Site) -> None:
        admin = site.administrator()
        before = site.read(lambda session: AuditRows(session).count())
        me = site.read(lambda session: _id_of(session, "admin@example.org"))
        send(admin, f"/people/{me}/revoke", role="administrator")
        send(admin, f"/people/{me}/revoke", role="officer")
        send(admin, f"/people/{me}/grant", role="administrator")
        assert site.read(lambda session: AuditRows(session).count()) == before

    def test_the_page_tells_who_did_what_and_checks_it(self, site: Site) -> None:
        admin = site.administrator()
        send(admin, "/people", address="o@example.org", role="officer")
        page = admin.get("/audit").text
        assert re.search(
            r"<td>admin@example.org</td><td>Role given</td><td>o@example.org</td><td>Liaison officer", page
        )
        assert "<td>command line</td><td>Account made</td><td>admin@example.org</td>" in page
        assert "All 5 rows are as they were written." in admin.get("/audit?verify=true").text
        assert site.signed_in("o@example.org").get("/audit").status_code == 403

    def test_the_page_says_where_it_is_broken(self, site: Site, tmp_path: Path) -> None:
        admin = site.administrator()
        tamper(tmp_path / "data", "UPDATE audit_entry SET action = 'signed_out' WHERE seq = 2")
        page = admin.get("/audit?verify=true").text
        assert "Row 2 is not as it was written." in page

    def test_many_rows_have_pages(self, site: Site) -> None:
        admin = site.administrator()
        with site.service.writing() as session:
            for _ in range(60):
                record(session, START, Action.LINK_PRINTED, COMMAND_LINE)
        seen: list[int] = []
        address: str | None = "/audit"
        while address:
            page = admin.get(address).text
            seen += [int(number) for number in re.findall(r"<tr><td>(\d+)</td>", page)]
            older = re.search(r'rel="next" href="([^"]+)"', page)
            address = older.group(1) if older else None
        assert seen == list(range(63, 0, -1))

    def test_the_command_lists_it(self, run: Callable[..., tuple[int, str]]) -> None:
        status, told = run("list", "--limit", "2")
        assert status == 0
        assert re.match(r"6 \S+ signed_in actor: device , person bert, via session 5 \S+ signed_out", told)
        rows = json.loads("[" + run("list", "--json")[1].replace("} {", "},{") + "]")
        assert [row["seq"] for row in rows] == [6, 5, 4, 3, 2, 1]
        assert rows[3]["parts"]["subject"] == {"organisation": "tu", "person": "anna", "role": "officer"}

    def test_a_clock_set_back_leaves_the_order(self, site: Site) -> None:
        site.signed_in()
        site.clock.turn(days=-2)
        site.signed_in("b@example.org")
        assert site.read(verify_all).bad is None


def _id_of(session: object, address: str) -> str:
    from api.accounts.store import People

    person = People(session).by_address(address)  # type: ignore[arg-type]
    assert person is not None
    assert person.holds(Role.OFFICER) or person.holds(Role.ADMINISTRATOR)
    return person.id
