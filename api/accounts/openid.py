"""Signing in at an identity provider: OpenID Connect Core 1.0, code flow with PKCE (RFC 7636), state and nonce.

What the provider says is believed only after its signature, issuer, audience, time and nonce have been checked.
Nothing of it is logged: a reason names what failed, never whose sign-in it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oidc.core.claims import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from api.accounts.address import AddressError, parse_address
from api.accounts.identity import Identity, OpenIdError
from api.accounts.openid_flow import Flow, new_flow

SCOPE = "openid email profile"
TIMEOUT_S = 10.0
"""How long the provider may take for one answer; a person waits for it."""
KEPT_S = 3600.0
"""How long its description and keys are taken for current; a key that is not among them is looked up at once."""
LEEWAY_S = 60
"""How far its clock and ours may differ."""
MAX_SUBJECT_CHARS = 255
"""OpenID Connect Core, section 2."""
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Signatures by a key that only the provider has: never `none`, never one made with a secret that we share."""
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Client:
    """What we are at the provider. `secret` is None for a public client."""

    issuer: str
    id: str
    secret: str | None
    return_address: str


class Provider:
    """The identity provider that the operator named; from any thread."""

    def __init__(self, client: Client, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._fetched_at = -KEPT_S

    def begin(self, goes_to: str, language: str) -> tuple[str, Flow]:
        """Where to send the browser, and what to keep in it until it comes back.

        Raises:
            OpenIdError: the provider cannot be reached, or does not describe itself as OpenID Connect asks.
        """
        metadata, _ = self._described()
        flow = new_flow(goes_to, self._now())
        with self._session(metadata) as session:
            address, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=flow.state,
                nonce=flow.nonce,
                code_verifier=flow.verifier,
                ui_locales=language,
            )
        return str(address), flow

    def finish(self, flow: Flow, code: str, issuer_told: str | None) -> Identity:
        """Who came back with this code.

        Args:
            flow: what `begin` gave for this browser, with its state compared already.
            code: from the address that the browser came back to.
            issuer_told: `iss` from that address (RFC 9207); None where there was none.

        Raises:
            OpenIdError: the provider cannot be reached, or what it says cannot be believed.
        """
        metadata, _ = self._described()
        told = metadata.get("authorization_response_iss_parameter_supported") is True
        if issuer_told != self._client.issuer and (told or issuer_told is not None):
            raise OpenIdError("untrusted", "the answer names another issuer")
        with self._session(metadata) as session:
            try:
                token = session.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=flow.verifier,
                    redirect_uri=self._client.return_address,
                    allow_redirects=False,
                )
            except OAuthError as error:
                raise OpenIdError("untrusted", f"no token for the code ({_known(error.error)})") from error
            except (requests.RequestException, ValueError) as error:
                raise OpenIdError("unreachable", f"no answer on the code ({type(error).__name__})") from error
            claims = self._checked(token, flow.nonce)
            if "email" not in claims or "email_verified" not in claims:
                # Address and word on it from one answer: else the word on one could be taken for another.
                claims = {
                    **claims,
                    "email_verified": False,
                    **self._userinfo(session, metadata, claims["sub"]),
                }
        return Identity(self._client.issuer, claims["sub"], _verified_address(claims), _name(claims))

    def _checked(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        text = token.get("id_token")
        if not isinstance(text, str):
            raise OpenIdError("untrusted", "the answer holds no ID token")
        # A provider changes its keys: what does not fit those that we have is tried once with those of now.
        for fresh in (False, True):
            metadata, keys = self._described(fresh=fresh)
            offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
            registry = JWSRegistry(
                algorithms=[name for name in ALGORITHMS if name in offered], strict_check_header=False
            )
            try:
                decoded = jwt.decode(text, keys, registry=registry)
                break
            except (JoseError, ValueError) as error:
                failure = error
        else:
            raise OpenIdError("untrusted", f"the ID token is not signed ({type(failure).__name__})")
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": self._client.issuer},
                "aud": {"essential": True, "value": self._client.id},
                "sub": {"essential": True},
                "nonce": {"essential": True, "value": nonce},
            },
            params={"client_id": self._client.id, "nonce": nonce, "access_token": token.get("access_token")},
        )
        try:
            claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_S)
        except (JoseError, TypeError, ValueError) as error:
            raise OpenIdError("untrusted", f"the ID token is not for us now ({error})") from error
        subject = claims["sub"]
        if (
            not isinstance(subject, str)
            or not 0 < len(subject) <= MAX_SUBJECT_CHARS
            or not subject.isprintable()
        ):
            raise OpenIdError("untrusted", "the subject of the ID token is no name")
        return dict(claims)

    def _userinfo(self, session: OAuth2Session, metadata: Mapping[str, Any], subject: str) -> dict[str, Any]:
        """Claims that the provider gives only here; empty where it gives none to us."""
        address = metadata.get("userinfo_endpoint")
        if address is None or not self._may_ask(address):
            return {}
        try:
            answer = session.get(address, allow_redirects=False)
            answer.raise_for_status()
            found = answer.json()
        except (OAuthError, requests.RequestException, ValueError) as error:
            raise OpenIdError("unreachable", f"no answer on who it is ({type(error).__name__})") from error
        if not isinstance(found, dict) or found.get("sub") != subject:
            raise OpenIdError("untrusted", "the answer on who it is names somebody else")
        return {name: found[name] for name in ("email", "email_verified", "name") if name in found}

    def _described(self, *, fresh: bool = False) -> tuple[dict[str, Any], KeySet]:
        """The provider's description of itself (OpenID Connect Discovery 1.0) and its keys, as they were lately."""
        with self._lock:
            if fresh or self._keys is None or time.monotonic() - self._fetched_at >= KEPT_S:
                metadata = self._fetch(self._client.issuer.rstrip("/") + "/.well-known/openid-configuration")
                if metadata.get("issuer") != self._client.issuer:
                    raise OpenIdError(
                        "untrusted", "the provider describes another issuer than the settings name"
                    )
                if not all(self._may_ask(metadata.get(name)) for name in _ENDPOINTS):
                    raise OpenIdError(
                        "untrusted", "an address that the provider describes is missing or open to all"
                    )
                try:
                    self._keys = KeySet.import_key_set(self._fetch(metadata["jwks_uri"]))  # type: ignore[arg-type]
                except (JoseError, KeyError, TypeError, ValueError) as error:
                    raise OpenIdError(
                        "untrusted", f"the provider's keys are none ({type(error).__name__})"
                    ) from error
                self._metadata, self._fetched_at = metadata, time.monotonic()
            return self._metadata, self._keys

    def _may_ask(self, address: object) -> bool:
        """Whether an address is private to it and us: TLS, unless the operator named a provider without."""
        if not isinstance(address, str):
            return False
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.scheme in ("https", urlsplit(self._client.issuer).scheme)

    @staticmethod
    def _fetch(address: str) -> dict[str, Any]:
        try:
            with requests.get(address, timeout=TIMEOUT_S, allow_redirects=False) as answer:
                answer.raise_for_status()
                found = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise OpenIdError("unreachable", f"no description of it ({type(error).__name__})") from error
        if not isinstance(found, dict):
            raise OpenIdError("unreachable", "its description is no JSON object")
        return found

    def _session(self, metadata: Mapping[str, Any]) -> OAuth2Session:
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        with_secret = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return OAuth2Session(
            client_id=self._client.id,
            client_secret=self._client.secret,
            token_endpoint_auth_method=with_secret if self._client.secret else "none",
            scope=SCOPE,
            redirect_uri=self._client.return_address,
            code_challenge_method="S256",
            default_timeout=TIMEOUT_S,
        )


def _verified_address(claims: Mapping[str, Any]) -> str | None:
    """The address that the provider vouches for. Some write the truth as a text."""
    address = claims.get("email")
    word = claims.get("email_verified")
    if not isinstance(address, str) or not (word is True or word == "true"):
        return None
    try:
        return parse_address(address)
    except AddressError:
        return None


def _name(claims: Mapping[str, Any]) -> str:
    name = claims.get("name")
    return name if isinstance(name, str) else ""


def _known(error: object) -> str:
    """An error code of RFC 6749, 5.2; the provider's own words may say whose sign-in it was."""
    text = str(error)
    return text if text.replace("_", "").isalpha() and len(text) <= 40 and text.isascii() else "an error"
