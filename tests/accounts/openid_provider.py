"""A small identity provider, as a process: OpenID Connect with code, PKCE, a login page, keys that change, and
faults on demand. Run it with: python openid_provider.py PORT ISSUER
"""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID = "kennismatch"
CLIENT_SECRET = "a secret of provider and client, which is long enough"
ASKED = ("client_id", "redirect_uri", "state", "nonce", "code_challenge", "code_challenge_method", "scope")


@dataclass
class Provider:
    """Its state. `fault` names what it does wrong; `claims` replace or take away (None) what an ID token says."""

    issuer: str
    returns_to: str = ""
    fault: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    key: RSAKey = field(default_factory=lambda: new_key())


def new_key(kid: str | None = None) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid or secrets.token_hex(4), "use": "sig", "alg": "RS256"})


def half_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def person(user: str) -> dict[str, Any]:
    """Everybody may come in, under the name that they give."""
    return {
        "sub": f"sub-{user}",
        "email": f"{user}@campus.example",
        "email_verified": True,
        "name": user.title(),
    }


def application(own: Provider) -> FastAPI:  # noqa: C901 - a line a fault
    app = FastAPI()

    @app.middleware("http")
    async def remember(request: Request, call_next: Any) -> Response:
        own.asked.append(request.url.path)
        answer: Response = await call_next(request)
        return answer

    @app.post("/-/set")
    def set_up(given: dict[str, Any]) -> dict[str, Any]:
        own.fault, own.claims = given.get("fault", ""), given.get("claims", {})
        own.returns_to = given.get("returns_to", own.returns_to)
        if given.get("rotate"):
            own.key = new_key()
        asked, own.asked = own.asked, []
        return {"asked": asked}

    @app.get("/.well-known/openid-configuration")
    def describe() -> Response:
        if own.fault == "down":
            return Response(status_code=503)
        if own.fault == "no_json":
            return HTMLResponse("<p>maintenance")
        document = {
            "issuer": "http://elsewhere.example" if own.fault == "other_issuer" else own.issuer,
            "authorization_endpoint": f"{own.issuer}/authorize",
            "token_endpoint": f"{own.issuer}/token",
            "userinfo_endpoint": f"{own.issuer}/userinfo",
            "jwks_uri": f"{own.issuer}/jwks",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        if own.fault == "no_token_endpoint":
            del document["token_endpoint"]
        return JSONResponse(document)

    @app.get("/jwks")
    def jwks() -> dict[str, Any]:
        return {"keys": [own.key.as_dict(private=False)]}

    @app.get("/authorize")
    def ask(request: Request) -> Response:
        given = request.query_params
        if given.get("client_id") != CLIENT_ID or given.get("redirect_uri") != own.returns_to:
            return Response("unknown client or address to return to", 400)
        wanted = given.get("response_type") == "code" and given.get("code_challenge_method") == "S256"
        if not wanted or "openid" not in given.get("scope", "").split() or not given.get("code_challenge"):
            return Response("not a request of OpenID Connect with PKCE", 400)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(given.get(name, ""))}">'
            for name in ASKED
        )
        return HTMLResponse(
            f'<!doctype html><title>Campus</title><form method="post">{hidden}<label>User <input name="user"></label>'
            '<button>Sign in</button><button name="cancel" value="yes">Cancel</button></form>'
        )

    @app.post("/authorize")
    async def answer(request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        back = {"state": form["state"], "iss": own.issuer}
        if own.fault == "no_iss":
            del back["iss"]
        if own.fault == "wrong_iss":
            back["iss"] = "http://elsewhere.example"
        if form.get("cancel"):
            back["error"] = "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(16)
            own.codes[back["code"]] = form
        return RedirectResponse(f"{form['redirect_uri']}?{urlencode(back)}", status_code=303)

    @app.post("/token")
    def token(
        request: Request,
        grant_type: str = Form(),
        code: str = Form(),
        redirect_uri: str = Form(),
        code_verifier: str = Form(""),
    ) -> Response:
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return JSONResponse({"error": "invalid_client"}, 401)
        given = own.codes.pop(code, None)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        )
        if (
            given is None
            or grant_type != "authorization_code"
            or redirect_uri != given["redirect_uri"]
            or challenge != given["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant", "error_description": f"of {code}"}, 400)
        if own.fault == "token_down":
            return Response(status_code=502)
        if own.fault == "no_id_token":
            return JSONResponse({"access_token": "x", "token_type": "Bearer"})
        access = secrets.token_urlsafe(16)
        own.tokens[access] = given["user"]
        now = int(time.time())
        claims: dict[str, Any] = {
            **person(given["user"]),
            "iss": own.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": given["nonce"],
            "at_hash": half_hash(access),
            **own.claims,
        }
        if own.fault.startswith("userinfo"):
            claims |= {"email": None, "email_verified": None}
        claims = {name: value for name, value in claims.items() if value is not None}
        return JSONResponse(
            {
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": 300,
                "id_token": signed(own, claims),
            }
        )

    @app.get("/userinfo")
    def userinfo(request: Request) -> Response:
        user = own.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if user is None:
            return Response(status_code=401)
        found = person(user)
        if own.fault == "userinfo_of_another":
            found["sub"] = "sub-somebody-else"
        if own.fault == "userinfo_unverified":
            found["email_verified"] = False
        return JSONResponse(found)

    return app


def signed(own: Provider, claims: dict[str, Any]) -> str:
    header = {"alg": "RS256", "kid": own.key.kid}
    if own.fault == "unsigned":
        parts = [jwt.encode(header, claims, own.key).split(".")[1]]
        empty = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        return f"{empty}.{parts[0]}."
    if own.fault == "signed_with_the_shared_secret":
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET), algorithms=["HS256"])
    if own.fault == "signed_with_the_public_key":
        public = own.key.as_pem(private=False)
        mac = OctKey.import_key(base64.urlsafe_b64encode(public).decode())
        return jwt.encode({"alg": "HS256", "kid": own.key.kid}, claims, mac, algorithms=["HS256"])
    if own.fault == "signed_by_another":
        return jwt.encode(header, claims, new_key(own.key.kid))
    return jwt.encode(header, claims, own.key)


if __name__ == "__main__":
    uvicorn.run(
        application(Provider(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), log_level="error"
    )
