"""What the operator sets, by option or by an environment variable with the prefix `KENNISMATCH_`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from embeddings.encoders import DEFAULT_ENCODER


class SettingsError(Exception):
    """A setting cannot be used: what was expected, what was found, what to do."""


class Settings(BaseSettings):
    """All settings with their defaults."""

    model_config = SettingsConfigDict(env_prefix="KENNISMATCH_", extra="ignore", frozen=True)

    data: Path = Path("data")
    """The data folder; made when it is not there."""
    encoder: str = DEFAULT_ENCODER
    """Name of the encoder, see `embeddings.encoders.open_encoder`."""
    host: str = "127.0.0.1"
    """Address to listen on; only this machine unless told otherwise."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen on; 0 takes any free one."""
    demonstration: bool = True
    """Whether a server on an empty data folder brings the demonstration collection in."""
    need_lifetime_days: int = Field(default=30, ge=1, le=3650)
    """How long a need that nobody claims is kept."""
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
    """The largest request body that is read."""

    base_url: str | None = None
    """Where people reach the pages, such as https://kennismatch.example.org; links in mail start with it. It is
    never taken from a request: whoever asks for a link for somebody else could name a host of their own."""
    sign_up: bool = True
    """Whether an address that is not known may sign in, as an asker; otherwise only people who were invited."""
    session_idle_hours: int = Field(default=72, ge=1, le=24 * 90)
    """How long somebody stays signed in without coming back."""
    session_days: int = Field(default=30, ge=1, le=365)
    """How long somebody stays signed in at most."""
    secret_key: SecretStr | None = Field(default=None, min_length=32)
    """The secret; by default one that is made into the data folder, see `api.secret`."""
    secret_key_file: Path | None = None
    """A file that holds it."""

    smtp_host: str | None = None
    """The mail server; without one nothing is mailed."""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    """Its port."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the line to it is kept private; what is asked for is demanded, never tried."""
    smtp_user: str | None = None
    """Name to sign in with there."""
    smtp_password: SecretStr | None = None
    """Password to sign in with there."""
    smtp_password_file: Path | None = None
    """A file that holds it."""
    mail_from: str | None = None
    """Address that mail is sent from."""

    openid_issuer: str | None = None
    """An OpenID Connect provider where people may sign in, as it calls itself: its `issuer`, to the letter."""
    openid_client_id: str | None = None
    """What Kennismatch is called there."""
    openid_client_secret: SecretStr | None = None
    """The secret that it gave us; none for a public client."""
    openid_client_secret_file: Path | None = None
    """A file that holds it."""
    openid_name: str = Field(default="", max_length=60)
    """What people call that provider, such as SURFconext."""

    @field_validator("openid_issuer")
    @classmethod
    def _private_issuer(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            usable = parts.scheme == "https" or (
                parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
            )
        except ValueError:
            usable = False
        if not usable or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("the issuer of an OpenID Connect provider, such as https://login.example.org")
        return value

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        except ValueError:
            usable = False
        if not usable or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("an address such as https://kennismatch.example.org, without a path")
        return value.rstrip("/")

    @field_validator("mail_from")
    @classmethod
    def _one_address(cls, value: str | None) -> str | None:
        from api.accounts.address import parse_address

        return None if value is None else parse_address(value)

    @model_validator(mode="after")
    def _mail_is_whole(self) -> Self:
        if self.smtp_host is not None and (self.mail_from is None or self.base_url is None):
            raise ValueError(
                "KENNISMATCH_MAIL_FROM and KENNISMATCH_BASE_URL beside KENNISMATCH_SMTP_HOST: mail needs a sender, "
                "and its links an address that others can reach"
            )
        return self

    @model_validator(mode="after")
    def _openid_is_whole(self) -> Self:
        if self.openid_issuer is not None and (self.openid_client_id is None or self.base_url is None):
            raise ValueError(
                "KENNISMATCH_OPENID_CLIENT_ID and KENNISMATCH_BASE_URL beside KENNISMATCH_OPENID_ISSUER: the "
                "provider must know who asks, and where browsers come back to"
            )
        return self

    @property
    def address(self) -> str:
        """Where people reach the pages: as told, else on this machine."""
        if self.base_url is not None:
            return self.base_url
        return f"http://{reachable(self.host)}:{self.port}"

    @property
    def sends_mail(self) -> bool:
        """Whether there is a server to send mail through."""
        return self.smtp_host is not None

    @property
    def database(self) -> Path:
        """Where the records are."""
        return self.data / "kennismatch.sqlite"

    @property
    def vector_cache(self) -> Path:
        """Where vectors of public texts are kept."""
        return self.data / "vectors.sqlite"


def reachable(host: str) -> str:
    """How a browser on this machine writes an address that is listened on."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104


def secret_of(file: Path | None, given: SecretStr | None, what: str, variable: str) -> str | None:
    """A secret out of its file where one is named, else as it was given; `what` and `variable` are for the message.

    Raises:
        SettingsError: the file cannot be read.
    """
    if file is None:
        return given.get_secret_value() if given is not None else None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"expected {what} in {file}, but: {error.strerror}; see {variable}") from error


def load_settings(options: Mapping[str, object]) -> Settings:
    """Settings from the environment, with the options that were given (those that are not None) on top.

    Raises:
        SettingsError: a value cannot be used.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            raise SettingsError(f"expected {first['msg'].removeprefix('Value error, ')}") from error
        name = str(first["loc"][0])
        variable = f"KENNISMATCH_{name.upper()}"
        source = f"in {variable}" if name not in given and variable in os.environ else f"for --{name}"
        raise SettingsError(
            f"expected {_expected(first['msg'])} {source}, found {_shown(name, first['input'])}"
        ) from error


def _expected(message: str) -> str:
    told = message.removeprefix("Value error, ")
    return told if told != message else message.lower()


def _shown(name: str, value: object) -> str:
    if Settings.model_fields[name].annotation == SecretStr | None:
        return "another (not shown: it is secret)"
    return repr(str(value))
