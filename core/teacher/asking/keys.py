"""The key to a teacher's account: where it is found, and how texts are cleaned of it.

A key lives in the environment or in the system's keyring and is handed on in memory. It is written nowhere: not in the
database, not in job folders, logs, exports or reports. Servers echo keys in their errors, so whatever a server said passes `redact`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from core.errors import UserError
from core.secrets import HIDDEN, SHORTEST, hide

OPENAI = "https://api.openai.com/v1"
_SERVICE = "gosmith"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
Place = Literal["environment", "keyring", "nowhere"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens an endpoint. Its repr shows no key. organisation, project: OpenAI's ids, "" for none."""

    key: str = field(repr=False)
    organisation: str = ""
    project: str = ""

    def redact(self, text: str) -> str:
        """`text` without this key and without anything that looks like one, as servers and proxies echo them."""
        return hide(text, self.key)

    def erase(self, text: str) -> str:
        """`text` without this very key. For answers, in which other keys may be somebody's example code."""
        return text.replace(self.key, HIDDEN) if len(self.key) >= SHORTEST else text


def check_url(base_url: str) -> str:
    """`base_url` without a slash at its end. Raises UserError when it is none, or holds a password or a query: those would be stored."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"“{base_url}” is no address of an endpoint.", f"Write one such as {OPENAI}.")
    if "@" in parts.netloc or parts.query:
        raise UserError(
            "The endpoint's address holds a password or a key, and addresses are stored.",
            "Leave it out of the address and save the key in the system's keyring.",
        )
    return base_url.rstrip("/")


def is_loopback(base_url: str) -> bool:
    """Does the endpoint run on this machine?"""
    return urlsplit(base_url).hostname in _LOOPBACK


def find_credentials(base_url: str, environment: Mapping[str, str] | None = None) -> Credentials:
    """The key for an endpoint: the keyring's entry for this very address, else OPENAI_API_KEY; for OpenAI itself the environment comes first.

    So a key that was saved for one endpoint is never sent to another. An endpoint on this machine needs none. Raises UserError when no
    key is found.
    """
    environment = os.environ if environment is None else environment
    base_url = check_url(base_url)
    given = environment.get("OPENAI_API_KEY", "").strip()
    openai = base_url == OPENAI
    key = given if openai and given else _from_keyring(base_url) or given
    if not key and is_loopback(base_url):
        key = "none"
    if not key:
        raise UserError(
            f"There is no key for {base_url}.",
            "Set OPENAI_API_KEY, or save the key in the system's keyring on the Settings page.",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UserError(f"The key for {base_url} holds characters that no key has.", "Copy it again, without spaces.")
    return Credentials(key, environment.get("OPENAI_ORG_ID", ""), environment.get("OPENAI_PROJECT_ID", ""))


def found_in(base_url: str, environment: Mapping[str, str] | None = None) -> Place:
    """Where the key for an endpoint would be taken from. Raises UserError for an address that is none."""
    environment = os.environ if environment is None else environment
    base_url = check_url(base_url)
    given = bool(environment.get("OPENAI_API_KEY", "").strip())
    if given and base_url == OPENAI:
        return "environment"
    if _from_keyring(base_url):
        return "keyring"
    return "environment" if given else "nowhere"


def missing_key(base_url: str) -> UserError | None:
    """What to say where no key for an endpoint is found; None where one is."""
    try:
        find_credentials(base_url)
    except UserError as error:
        return error
    return None


def save_key(base_url: str, key: str) -> None:
    """Keep a key in the system's keyring; an empty one is deleted. Raises UserError when there is no keyring."""
    import keyring
    import keyring.errors

    base_url = check_url(base_url)
    try:
        if key.strip():
            keyring.set_password(_SERVICE, base_url, key.strip())
        elif keyring.get_password(_SERVICE, base_url) is not None:
            keyring.delete_password(_SERVICE, base_url)
    except keyring.errors.KeyringError as error:
        raise UserError(
            f"The system's keyring cannot be used: {type(error).__name__}.", "Set OPENAI_API_KEY instead."
        ) from None


def _from_keyring(base_url: str) -> str:
    import keyring
    import keyring.errors

    try:
        return keyring.get_password(_SERVICE, base_url) or ""
    except keyring.errors.KeyringError:  # a machine without a desktop has none; the environment is asked next
        return ""
