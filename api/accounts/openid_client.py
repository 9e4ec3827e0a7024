"""The identity provider of the settings, if they name one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from api.settings import Settings, SettingsError

if TYPE_CHECKING:
    from api.accounts.openid import Provider

RETURN_PATH = "/openid/return"
"""Where browsers come back to; the provider has it in its list."""


def open_provider(settings: Settings, now: Callable[[], datetime]) -> Provider | None:
    """The provider, which is not asked anything yet; None where the settings name none.

    Raises:
        SettingsError: the file with the secret cannot be read.
    """
    if settings.openid_issuer is None or settings.openid_client_id is None:
        return None
    # Half a second to load, for those who use it.
    from api.accounts.openid import Client, Provider

    client = Client(
        issuer=settings.openid_issuer,
        id=settings.openid_client_id,
        secret=_secret(settings),
        return_address=settings.address + RETURN_PATH,
    )
    return Provider(client, now)


def _secret(settings: Settings) -> str | None:
    if settings.openid_client_secret_file is not None:
        try:
            return settings.openid_client_secret_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingsError(
                f"expected the secret for the identity provider in {settings.openid_client_secret_file}, "
                f"but: {error.strerror}; see KENNISMATCH_OPENID_CLIENT_SECRET_FILE"
            ) from error
    return settings.openid_client_secret.get_secret_value() if settings.openid_client_secret else None
