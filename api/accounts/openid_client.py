"""The identity provider of the settings, if they name one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from api.settings import Settings, secret_of

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
        secret=secret_of(
            settings.openid_client_secret_file,
            settings.openid_client_secret,
            "the secret for the identity provider",
            "KENNISMATCH_OPENID_CLIENT_SECRET_FILE",
        ),
        return_address=settings.address + RETURN_PATH,
    )
    return Provider(client, now)
