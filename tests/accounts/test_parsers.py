"""What is made of texts from outside, whatever they hold."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api.accounts.address import AddressError, address_key, parse_address
from api.accounts.device import device
from api.accounts.limits import client_of
from api.accounts.roles import clean_name
from api.accounts.sessions import is_token
from api.accounts.sign_in import AFTER_SIGN_IN, local_path
from api.mail.message import MailState, QueuedMail, compose
from api.mail.smtp import _on_the_line
from api.secret import SealError, Secret, new_token

TRICKY = st.text(alphabet=st.sampled_from("/\\.:@?#%&=ab \t\n\r\x00\u200b\u202eé<>\"'")) | st.text()


@given(TRICKY)
def test_what_is_taken_for_an_address_can_stand_in_a_header(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert address.isascii()
    assert address.isprintable()
    assert address.count("@") >= 1
    assert not set(address) & set(" \r\n<>,;")
    assert parse_address(address) == address


@given(st.emails())
def test_ordinary_addresses_are_taken(text: str) -> None:
    assume(
        not text.partition("@")[2].endswith((".test", ".local", ".invalid", ".arpa", ".onion", ".localhost"))
    )
    assume('"' not in text)
    try:
        address = parse_address(text)
    except AddressError:
        assume(False)  # the strategy also makes hosts that no mail goes to
    assert address_key(address) == address_key(address.upper())


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" anna@example.org ", "anna@example.org"),
        ("anna@example.org\u200b", "anna@example.org"),
        ("\u2068Anna.B+x@Example.ORG\u2069", "Anna.B+x@example.org"),
        ("anna@bücher.example.com", "anna@xn--bcher-kva.example.com"),
    ],
)
def test_how_addresses_are_typed(text: str, address: str) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["Anna <anna@example.org>", "anna@example.org, b@example.org", "anná@example.org", "anna@[127.0.0.1]", "anna@localhost"])  # fmt: skip
def test_what_is_no_single_mailbox_elsewhere(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


@given(TRICKY)
def test_one_is_sent_to_a_path_of_ours_and_nowhere_else(text: str) -> None:
    path = local_path(text)
    # As browsers read it (WHATWG URL standard): tabs and line ends are dropped, a backslash is a slash.
    read = path.replace("\t", "").replace("\n", "").replace("\r", "").replace("\\", "/")
    assert urlsplit(urljoin("https://ours.example/sign-in", read)).netloc == "ours.example"
    assert path.isascii()
    assert path in (text, AFTER_SIGN_IN)
    assert local_path(path) == path


@given(st.text())
def test_a_name_is_one_line(text: str) -> None:
    name = clean_name(text)
    assert len(name) <= 200
    assert name == clean_name(name)
    assert "\n" not in name
    name.encode()


@given(st.text(max_size=3000))
def test_a_device_is_one_of_a_few_words(user_agent: str) -> None:
    assert len(device(user_agent)) <= 30
    assert not any(sign.isdigit() for sign in device(user_agent))


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.5.0", ""),
    ],
)  # fmt: skip
def test_what_browsers_call_themselves(user_agent: str, name: str) -> None:
    assert device(user_agent) == name


@given(st.ip_addresses())
def test_a_client_is_a_host_or_a_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    client = client_of(str(address))
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        assert address in ipaddress.ip_network(client)
        assert ipaddress.ip_network(client).prefixlen == 64
    else:
        assert client == str(getattr(address, "ipv4_mapped", None) or address)


@given(st.text())
def test_any_client_counts_as_something(text: str) -> None:
    assert client_of(text)
    assert client_of(None) == "unknown"


@given(st.text())
def test_only_our_tokens_are_looked_up(text: str) -> None:
    assert is_token(text) == (
        len(text) == 43 and all(c.isascii() and (c.isalnum() or c in "-_") for c in text)
    )
    assert is_token(new_token())


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_comes_back_and_only_with_its_key(text: str) -> None:
    secret = Secret(b"a" * 32)
    sealed = secret.seal(text)
    assert secret.unseal(sealed) == text
    for other, wrong in ((Secret(b"b" * 32), sealed), (secret, sealed[:-4]), (secret, text)):
        with pytest.raises(SealError):
            other.unseal(wrong)


def test_a_hash_is_for_one_purpose_and_one_key() -> None:
    hashes = {Secret(key * 32).hash(purpose, "x") for key in (b"a", b"b") for purpose in ("session", "form")}
    assert len(hashes) == 4


MAIL_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n.\t"))


@given(MAIL_TEXT, st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1))
def test_any_text_arrives_as_it_was_written(text: str, subject: str) -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    mail = QueuedMail("0" * 32, "test", "a@example.org", "nl", subject, text, False, MailState.QUEUED, 0, "", now, now, None, None)  # fmt: skip
    line = _on_the_line(compose(mail, text, "desk@example.org").as_bytes())
    assert line.endswith(b"\r\n.\r\n")
    assert all(item.isascii() and len(item) <= 998 for item in line.split(b"\r\n"))
    # The server's side (RFC 5321, 4.5.2): it ends at the first lone dot, and one dot goes from where lines start so.
    received = line.split(b"\r\n.\r\n")[0] + b"\r\n"
    assert len(received) == len(line) - len(b".\r\n")
    undone = b"\r\n".join(item[1:] if item.startswith(b".") else item for item in received.split(b"\r\n"))
    back = message_from_bytes(undone, policy=default)
    assert " ".join(back["Subject"].split()) == " ".join(subject.split())
    content = back.get_content().replace("\r\n", "\n")  # type: ignore[attr-defined]
    assert content.rstrip() == text.rstrip()
