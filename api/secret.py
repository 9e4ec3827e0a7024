"""The one secret of an installation: what keyed hashes and sealed texts are made with.

It is made once, into the data folder, unless the operator names one. Who loses it ends all sessions and sign-in
links, and nothing else: passwords there are none, keys of the API and the audit log do not rest on it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

import structlog
from cryptography.fernet import Fernet, InvalidToken

from api.settings import Settings, SettingsError

log = structlog.get_logger(__name__)

FILE = "secret.key"
MIN_CHARS = 32
"""A key of fewer characters is a password: it could be guessed from one hash."""


class SealError(ValueError):
    """A sealed text was sealed with another key, or has been changed."""


class Secret:
    """Makes hashes and seals; each purpose has a key of its own, so that none can be used for another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _for(self, purpose: str) -> bytes:
        return hmac.digest(self._key, b"kennismatch:" + purpose.encode(), hashlib.sha256)

    def hash(self, purpose: str, text: str) -> str:
        """A keyed hash (HMAC-SHA256, RFC 2104), 64 hexadecimal digits: the same for the same text and purpose."""
        return hmac.digest(self._for(purpose), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()

    def seal(self, text: str) -> str:
        """A text that only this key opens."""
        return self._fernet().encrypt(text.encode()).decode("ascii")

    def unseal(self, sealed: str) -> str:
        """What was sealed.

        Raises:
            SealError: with another key, or not by `seal`.
        """
        try:
            return self._fernet().decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SealError("expected a text sealed with the key in use, found one of another key") from error

    def _fernet(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._for("seal")))


def new_token() -> str:
    """256 random bits that are safe in an address, 43 characters."""
    return secrets.token_urlsafe(32)


def load_secret(settings: Settings) -> Secret:
    """The secret that the operator named, else that of the data folder, which is made where there is none.

    Raises:
        SettingsError: the named file holds no usable key.
        OSError: the file cannot be read or made.
    """
    if settings.secret_key is not None:
        return Secret(settings.secret_key.get_secret_value().encode())
    if settings.secret_key_file is not None:
        return Secret(_read(settings.secret_key_file, "another key in KENNISMATCH_SECRET_KEY_FILE"))
    path = settings.data / FILE
    if not path.exists():
        _make(path)
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        log.warning("secret_key_was_open", file=FILE, mode=oct(mode), advice="others may have read it")
        path.chmod(0o600)
    return Secret(_read(path, "remove it (all will have to sign in again) or restore it"))


def _read(path: Path, advice: str) -> bytes:
    key = path.read_bytes().strip()
    if len(key) < MIN_CHARS:
        raise SettingsError(
            f"expected a key of at least {MIN_CHARS} characters in {path}, found {len(key)}; {advice}"
        )
    return key


def _make(path: Path) -> None:
    """Write a new key; where two processes do so at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(new_token() + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        log.info("secret_key_made", file=FILE)
    finally:
        Path(temporary).unlink(missing_ok=True)
