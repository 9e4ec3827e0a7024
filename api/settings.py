"""What the operator sets, by option or by an environment variable with the prefix `KENNISMATCH_`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError
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

    @property
    def database(self) -> Path:
        """Where the records are."""
        return self.data / "kennismatch.sqlite"

    @property
    def vector_cache(self) -> Path:
        """Where vectors of public texts are kept."""
        return self.data / "vectors.sqlite"


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
        name = str(first["loc"][0])
        variable = f"KENNISMATCH_{name.upper()}"
        source = f"in {variable}" if name not in given and variable in os.environ else f"for --{name}"
        raise SettingsError(
            f"expected {first['msg'].lower()} {source}, found {str(first['input'])!r}"
        ) from error
