"""E-mail addresses, as people type them."""

from __future__ import annotations

import unicodedata

from email_validator import EmailNotValidError, validate_email

MAX_CHARS = 254
"""The longest address that mail can carry (RFC 5321, 4.5.3.1, with its brackets)."""


class AddressError(ValueError):
    """The text is no address that mail can be sent to."""


def parse_address(text: str) -> str:
    """The address to write to: its host in ASCII and in lower case (RFC 5890), the rest as it was typed.

    Raises:
        AddressError: no address, one with a name around it, or one whose local part is not ASCII.
    """
    # Zero-width and other format characters come along when an address is copied from a page or a mail.
    plain = "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip()
    if not plain or len(plain) > MAX_CHARS:
        raise AddressError(f"an e-mail address of 3 to {MAX_CHARS} characters")
    try:
        found = validate_email(plain, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise AddressError("an e-mail address such as name@example.org") from error
    if found.ascii_email is None:
        raise AddressError("an e-mail address in ASCII")
    return found.ascii_email


def address_key(address: str) -> str:
    """What two spellings of one mailbox share: no provider that we know tells upper from lower case."""
    return address.casefold()
