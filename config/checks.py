"""Bad combinations of settings, as system checks: `manage.py check --deploy` explains them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from config.celery import TICK_SECONDS
from incidents.delivery.channels import gateway_for


@register(Tags.security)
def identity_keys(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """Keys that do not open anything would be noticed only when a protected identity is first recorded."""
    try:
        for key in settings.IDENTITY_KEYS:
            Fernet(key)
    except ValueError:
        return [Error("IDENTITY_KEYS holds something that is not a Fernet key.", hint=_MAKE_KEY, id="security.E001")]
    return []


@register(Tags.compatibility)
def engine_margins(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.ENGINE_STALE_SECONDS < 2 * TICK_SECONDS:
        text = f"ENGINE_STALE_SECONDS is below two ticks ({2 * TICK_SECONDS} s): one slow tick would raise the alarm."
        return [Error(text, id="engine.E001")]
    return []


@register(Tags.compatibility)
def heartbeat_address(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A wrong address would never be heard of, and the listener would alarm for ever."""
    parts = urlsplit(settings.HEARTBEAT_URL)
    if settings.HEARTBEAT_URL and (parts.scheme not in ("http", "https") or not parts.hostname):
        return [Error("HEARTBEAT_URL is not an http or https address.", hint="Empty: no heartbeat.", id="engine.E002")]
    return []


@register(Tags.compatibility)
def channel_addresses(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A wrong address of SMS or chat would be noticed only when nobody is reached."""
    wrong: list[CheckMessage] = []
    for number, (name, example) in enumerate((("SMS_URL", _SMS), ("CHAT_URL", _CHAT)), start=1):
        url = getattr(settings, name)
        if url and "{to}" not in url:
            text = f"{name} does not say where the number or name goes: put {{to}} in its place."
            wrong.append(Error(text, hint=example, id=f"delivery.E{number:03}"))
        elif url and gateway_for(url, "+85512000000", "id") is None:
            text = f"{name} is not an address that Apprise knows, so no message could leave through it."
            wrong.append(Error(text, hint=example, id=f"delivery.E{number:03}"))
    if settings.EMAIL_CONFIGURED and settings.EMAIL_BACKEND.endswith("smtp.EmailBackend") and not settings.EMAIL_HOST:
        wrong.append(Error("EMAIL_URL names no mail server.", hint=_MAIL, id="delivery.E003"))
    return wrong


_MAIL = "As in smtp+tls://name:password@mail.example.org:587. Empty: people are told in the inbox only."
_SMS = "As in json://gateway.example.org/send?:to={to}&:id={id}, or one of https://appriseit.com. Empty: not used."
_CHAT = "As in tgram://bot-token/{to}, or one of https://appriseit.com. Empty: not used."


@register(Tags.security, deploy=True)
def production(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """What is right for a demonstration and wrong for a country."""
    wrong = [
        (settings.DEMO, "DEMO is on: accounts with a known password can sign in.", "Unset DEMO."),
        (not settings.IDENTITY_KEYS, "IDENTITY_KEYS is empty: protected identities cannot be recorded.", _MAKE_KEY),
        (not settings.EMAIL_CONFIGURED, "EMAIL_URL is not set: commanders are told in the inbox only.", None),
        (not settings.METRICS_TOKEN, "METRICS_TOKEN is not set: /metrics answers this machine only.", None),
        (
            settings.HTTPS and not settings.SITE_URL.startswith("https://"),
            "SITE_URL is not an https:// address: links in messages would not lead here.",
            "Set SITE_URL to the address people open.",
        ),
        (
            bool(settings.REDIS_URL) and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"),
            "REDIS_URL is set and DATABASE_URL is not: several machines cannot share SQLite.",
            "Set DATABASE_URL to a PostgreSQL database.",
        ),
    ]
    return [
        Warning(text, hint=hint, id=f"production.W{number:03}")
        for number, (is_wrong, text, hint) in enumerate(wrong, start=1)
        if is_wrong
    ]


_MAKE_KEY = 'Make one: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
