"""Signing in with a mailed link: what works, what does not, and what nobody may learn."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from api.accounts.limits import PER_ADDRESS, PER_CLIENT
from api.accounts.model import Role
from api.accounts.store import People
from api.accounts.tables import open_session, sign_in_link
from api.mail.tables import message
from tests.accounts.conftest import BUTTON, DUTCH, Post, Site, form_token, mail_settings, send
from tests.api.servers import wait_until


class TestTheWayIn:
    def test_a_link_signs_in_whoever_presses_the_button(self, site: Site) -> None:
        client = site.visitor()
        link = site.ask_for_link(client, "Anna@Example.ORG")
        page = client.get(link)
        assert "Anna@example.org" in page.text
        assert "set-cookie" not in page.headers or "session=" not in page.headers["set-cookie"]
        answer = client.post(link, data=BUTTON)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert "Anna@example.org" in client.get("/account").text
        person = site.read(lambda session: People(session).by_address("anna@example.org"))
        assert [grant.role for grant in person.grants] == [Role.ASKER]

    def test_scanners_of_mail_do_not_burn_it(self, site: Site) -> None:
        link = site.ask_for_link(site.visitor(), "a@example.org")
        for _ in range(3):
            assert site.visitor().get(link).status_code == 200
        assert site.visitor().post(link, data=BUTTON).status_code == 303

    def test_one_gets_where_one_wanted_to_go(self, site: Site) -> None:
        site.person("a@example.org", Role.ADMINISTRATOR)
        client = site.visitor()
        turned_away = client.get("/people")
        assert turned_away.headers["location"] == "/sign-in?next=/people"
        assert 'name="next" value="/people"' in client.get(turned_away.headers["location"]).text
        link = site.ask_for_link(client, "a@example.org", next="/people")
        assert client.post(link, data=BUTTON).headers["location"] == "/people"

    def test_the_mail_is_in_the_language_of_the_page(self, site: Site) -> None:
        site.ask_for_link(site.visitor(**DUTCH), "a@example.org")
        mail = site.post.mails[-1]
        assert mail["Subject"] == "Uw link om in te loggen bij Kennismatch"
        assert mail["To"] == "a@example.org"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert "Hij werkt 10 minuten, één keer" in mail.get_content()

    def test_the_host_of_the_link_is_not_taken_from_the_request(self, site: Site) -> None:
        client = site.visitor(Host="evil.example")
        site.ask_for_link(client, "a@example.org")
        assert "evil" not in site.post.mails[-1].get_content()


class TestWhatDoesNotWork:
    def test_a_link_works_once(self, site: Site) -> None:
        link = site.ask_for_link(site.visitor(), "a@example.org")
        assert site.visitor().post(link, data=BUTTON).status_code == 303
        again = site.visitor().post(link, data=BUTTON)
        assert again.status_code == 410
        assert "This link has been used" in again.text
        assert 'href="/sign-in"' in again.text
        assert "session" not in again.headers.get("set-cookie", "")

    def test_a_button_that_is_pressed_twice_is_no_error(self, site: Site) -> None:
        client = site.visitor()
        link = site.ask_for_link(client, "a@example.org")
        client.post(link, data=BUTTON)
        again = client.post(link, data={"form_token": form_token(client)})
        assert (again.status_code, again.headers["location"]) == (303, "/account")

    def test_of_two_at_once_one_gets_in(self, site: Site) -> None:
        link = site.ask_for_link(site.visitor(), "a@example.org")
        clients = [site.visitor() for _ in range(6)]
        start, statuses = threading.Barrier(len(clients)), []

        def press(client: object) -> None:
            start.wait()
            statuses.append(client.post(link, data=BUTTON).status_code)  # type: ignore[attr-defined]

        threads = [threading.Thread(target=press, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [303, 410, 410, 410, 410, 410]

    @pytest.mark.parametrize(("minutes", "status"), [(9.9, 200), (10, 410), (600, 410), (-4, 200), (-6, 410)])
    def test_a_link_lives_ten_minutes_and_no_longer_by_a_clock_set_back(
        self, site: Site, minutes: float, status: int
    ) -> None:
        link = site.ask_for_link(site.visitor(), "a@example.org")
        site.clock.turn(minutes=minutes)
        page = site.visitor().get(link)
        assert page.status_code == status
        assert ("This link is too old" in page.text) == (status == 410)
        assert site.visitor().post(link, data=BUTTON).status_code == (303 if status == 200 else 410)

    @pytest.mark.parametrize("token", ["x", "A" * 43, "%2e%2e", "%00", "é" * 43, "A" * 5000])
    def test_a_forged_link(self, site: Site, token: str) -> None:
        for answer in (
            site.visitor().get(f"/sign-in/{token}"),
            site.visitor().post(f"/sign-in/{token}", data=BUTTON),
        ):
            assert answer.status_code == 404
        assert "We do not know this link" in site.visitor().get(f"/sign-in/{'A' * 43}").text

    def test_a_newer_link_and_an_older_one_end_together(self, site: Site) -> None:
        first = site.ask_for_link(site.visitor(), "a@example.org")
        second = site.ask_for_link(site.visitor(), "A@EXAMPLE.org")
        assert site.visitor().post(first, data=BUTTON).status_code == 303
        assert site.visitor().post(second, data=BUTTON).status_code == 410

    @pytest.mark.parametrize("address", ["", "  ", "x", "a@b", "a@b c.org", "a@example.org\nBcc: b@example.org", "a" * 300 + "@example.org"])  # fmt: skip
    def test_what_is_no_address_is_told_at_the_field(self, site: Site, address: str) -> None:
        answer = site.visitor().post("/sign-in", data={"address": address})
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text
        assert re.search(r'role="alert".*href="#address"', answer.text, re.DOTALL)
        assert not site.post.mails

    @pytest.mark.parametrize("goes_to", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\tb", "/sign-out", "javascript:alert(1)"])  # fmt: skip
    def test_nobody_is_sent_elsewhere(self, site: Site, goes_to: str) -> None:
        client = site.visitor()
        link = site.ask_for_link(client, "a@example.org", next=goes_to)
        assert client.post(link, data=BUTTON).headers["location"] == "/account"


class TestWhatNobodyLearns:
    @pytest.fixture
    def closed(self, make_site: Callable[..., Site], post: tuple[Post, int], tmp_path: Path) -> Site:
        return make_site(post[0], mail_settings(tmp_path / "data", post[1], sign_up=False))

    def test_the_answer_is_the_same_for_known_and_unknown(self, closed: Site) -> None:
        closed.person("known@example.org", Role.OFFICER)
        answers = [
            closed.visitor().post("/sign-in", data={"address": f"{name}@example.org"})
            for name in ("known", "stranger")
        ]
        assert {(answer.status_code, answer.headers["location"], answer.text) for answer in answers} == {
            (303, "/sign-in/sent", "")
        }
        wait_until(lambda: bool(closed.post.mails), 20)
        assert [mail["To"] for mail in closed.post.mails] == ["known@example.org"]
        assert closed.read(lambda session: session.scalars(select(message.c.recipient)).all()) == [
            "known@example.org"
        ]

    def test_who_was_removed_after_asking_does_not_get_in(self, closed: Site) -> None:
        person = closed.person("a@example.org", Role.OFFICER)
        link = closed.ask_for_link(closed.visitor(), "a@example.org")
        with closed.service.writing() as session:
            People(session).delete(person.id, closed.clock())
        assert closed.visitor().post(link, data=BUTTON).status_code == 404

    def test_no_token_stands_in_the_data_folder(self, site: Site, tmp_path: Path) -> None:
        client = site.visitor()
        site.post.mode = "451 later"
        client.post("/sign-in", data={"address": "a@example.org"})
        wait_until(lambda: site.post.n_texts > 0, 20)  # it waits in the outbox
        site.post.mode = "take"
        site.clock.turn(minutes=1)
        site.service.sender.wake()
        wait_until(lambda: bool(site.post.mails), 20)
        link = site.post.link()
        token = link.rpartition("/")[2]
        held = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
        assert b"a@example.org" in held  # the search sees what is in there
        assert token.encode() not in held
        client.post(link, data=BUTTON)
        cookie = client.cookies["session"]
        held = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
        assert cookie.encode() not in held


class TestLimits:
    def test_per_address(self, site: Site) -> None:
        for n in range(PER_ADDRESS.most):
            spelling = "A@example.org" if n % 2 else "a@example.org"
            assert site.visitor().post("/sign-in", data={"address": spelling}).status_code == 303
        refused = site.visitor().post("/sign-in", data={"address": "a@example.org"})
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == str(15 * 60)
        assert "Try again in 15 min" in refused.text
        assert site.visitor().post("/sign-in", data={"address": "b@example.org"}).status_code == 303
        site.clock.turn(seconds=PER_ADDRESS.span.total_seconds())
        assert site.visitor().post("/sign-in", data={"address": "a@example.org"}).status_code == 303

    def test_per_client(self, site: Site) -> None:
        answers = [
            site.visitor().post("/sign-in", data={"address": f"a{n}@example.org"}).status_code
            for n in range(PER_CLIENT.most + 1)
        ]
        assert answers == [303] * PER_CLIENT.most + [429]

    def test_a_clock_set_back_lifts_no_limit_and_locks_nobody_out(self, site: Site) -> None:
        for _ in range(PER_ADDRESS.most):
            site.visitor().post("/sign-in", data={"address": "a@example.org"})
        site.clock.turn(minutes=-5)
        refused = site.visitor().post("/sign-in", data={"address": "a@example.org"})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) <= 15 * 60
        site.clock.turn(days=-30)
        assert site.visitor().post("/sign-in", data={"address": "a@example.org"}).status_code == 303


class TestSessions:
    def test_a_new_id_at_every_sign_in(self, site: Site) -> None:
        client = site.visitor()
        planted = {"Cookie": f"session={'A' * 43}"}  # by somebody else: session fixation
        client.post(site.ask_for_link(client, "a@example.org"), data=BUTTON, headers=planted)
        first = client.cookies["session"]
        assert first != "A" * 43
        token = form_token(client)
        link = site.ask_for_link(site.visitor(), "a@example.org")
        client.post(link, data={"form_token": token})
        assert client.cookies["session"] != first
        old = site.visitor()
        old.cookies.set("session", first)
        assert old.get("/account").status_code == 303
        assert site.read(lambda session: len(session.execute(select(open_session)).all())) == 1

    def test_the_cookie_is_out_of_reach(self, site: Site) -> None:
        client = site.visitor()
        answer = client.post(site.ask_for_link(client, "a@example.org"), data=BUTTON)
        cookie = answer.headers["set-cookie"]
        assert re.match(r"session=[\w-]{43}; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax$", cookie)

    def test_over_tls_it_is_bound_to_this_host(
        self, make_site: Callable[..., Site], post: tuple[Post, int], tmp_path: Path
    ) -> None:
        settings = mail_settings(tmp_path / "data", post[1]).model_copy(
            update={"base_url": "https://testserver"}
        )
        site = make_site(post[0], settings)
        client = site.visitor()
        client.post("/sign-in", data={"address": "a@example.org"})
        wait_until(lambda: bool(post[0].mails), 20)
        link = re.search(r"https://testserver(/sign-in/\S+)", post[0].mails[-1].get_content())
        assert link is not None
        cookie = client.post(link.group(1), data=BUTTON).headers["set-cookie"]
        assert re.match(
            r"__Host-session=[\w-]{43}; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax; Secure$", cookie
        )

    @pytest.mark.parametrize(
        ("turns", "alive"),
        [([71], True), ([73], False), ([60] * 11, True), ([60] * 12, False), ([-0.05], True), ([-1], False)],
    )
    def test_how_long_it_lives(self, site: Site, turns: list[float], alive: bool) -> None:
        client = site.signed_in()
        for hours in turns:
            site.clock.turn(hours=hours)
            status = client.get("/account").status_code
        assert status == (200 if alive else 303)

    def test_signing_out_ends_it_on_the_server(self, site: Site) -> None:
        client = site.signed_in()
        cookie = client.cookies["session"]
        answer = send(client, "/sign-out")
        assert answer.headers["location"] == "/"
        assert 'session=""; HttpOnly; Max-Age=0' in re.sub(
            r"expires=[^;]*; ", "", answer.headers["set-cookie"]
        )
        client.cookies.set("session", cookie)
        assert client.get("/account").status_code == 303

    def test_the_list_of_ones_own_sessions(self, site: Site) -> None:
        firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        here, there = site.signed_in(), site.signed_in(**{"User-Agent": firefox})
        stranger = site.signed_in("b@example.org")
        page = here.get("/account").text
        assert "Firefox, Linux" in page
        assert page.count("/account/sessions/") == 2  # the other one's button, and the one for all
        found = re.search(r'action="(/account/sessions/[\w-]{12}/end)"', page)
        assert found is not None
        assert send(stranger, found.group(1)).status_code == 303  # of another: nothing happens
        assert there.get("/account").status_code == 200
        assert send(here, found.group(1)).headers["location"] == "/account?done=ended"
        assert there.get("/account").status_code == 303
        assert send(here, found.group(1)).status_code == 303  # sent twice
        assert here.get("/account").status_code == 200

    def test_sign_out_everywhere(self, site: Site) -> None:
        here, there = site.signed_in(), site.signed_in()
        send(here, "/account/sessions/end")
        assert (here.get("/account").status_code, there.get("/account").status_code) == (303, 303)

    def test_a_lost_key_ends_sessions_and_links_and_nothing_else(
        self, make_site: Callable[..., Site], post: tuple[Post, int], tmp_path: Path
    ) -> None:
        settings = mail_settings(tmp_path / "data", post[1])
        site = make_site(post[0], settings)
        client = site.signed_in("a@example.org")
        link = site.ask_for_link(site.visitor(), "b@example.org")
        lost = settings.model_copy(update={"secret_key_file": tmp_path / "other"})
        (tmp_path / "other").write_text("x" * 40)
        site.service.stop()
        site.service.settings = lost
        from api.secret import load_secret

        site.service._secret = load_secret(lost)
        assert client.get("/account").status_code == 303
        assert site.visitor().get(link).status_code == 404
        assert site.read(lambda session: People(session).count()) == 1


class TestWithoutMail:
    def test_the_page_says_so_and_the_command_makes_a_link(
        self, make_site: Callable[..., Site], tmp_path: Path
    ) -> None:
        from api.settings import Settings

        site = make_site(Post(), Settings(data=tmp_path / "data", demonstration=False))
        page = site.visitor().get("/sign-in").text
        assert "This server cannot send mail" in page
        assert "kennismatch admin link" in page
        assert "<form" not in page[page.index("<main") : page.index("</main")]
        assert site.visitor().post("/sign-in", data={"address": "a@example.org"}).status_code == 503


class TestHousekeeping:
    def test_what_is_over_is_forgotten(self, site: Site) -> None:
        site.signed_in()
        site.clock.turn(days=40)
        site.service._delete_expired()
        for table in (sign_in_link, open_session, message):
            assert site.read(lambda session, table=table: session.execute(select(table)).all()) == []
        assert site.read(lambda session: People(session).count()) == 1

    def test_a_session_in_use_is_written_down_at_most_every_five_minutes(self, site: Site) -> None:
        client = site.signed_in()
        seen = select(open_session.c.seen_at)
        first = site.read(lambda session: session.scalar(seen))
        site.clock.turn(minutes=4)
        client.get("/account")
        assert site.read(lambda session: session.scalar(seen)) == first
        site.clock.turn(minutes=1)
        client.get("/account")
        assert site.read(lambda session: session.scalar(seen)) == first + timedelta(minutes=5)
