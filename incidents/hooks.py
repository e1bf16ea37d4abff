"""Webhooks of commands: made, switched off and on, each journaled. Who may: the PSC and the NEC, because a webhook
takes what a command is told out of the system for good.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from commands.authority import judge_roles
from commands.choices import Role
from commands.models import Posting, SecurityCommand, User
from incidents import entries
from incidents.choices import Act
from incidents.delivery.outbox import tell
from incidents.delivery.webhooks import check_address, new_secret
from incidents.identities import seal_text
from incidents.models import Webhook
from incidents.routing import holders

MAKERS = (Role.PSC_WATCH, Role.NEC_SECRETARIAT)


@transaction.atomic
def make(name: str, command: str, url: str, *, by: User, now: dt.datetime) -> tuple[Webhook, str]:
    """A webhook and its signing secret, which is shown this once.

    Raises PermissionDenied, and ValidationError by field; then nothing was written.
    """
    posting = judge_roles(MAKERS, by.current_postings)
    errors: dict[str, str | list[str]] = {}
    name, url = name.strip(), url.strip()
    if not name or len(name) > 80:
        errors["name"] = _("Write a name of at most %(limit)s characters.") % {"limit": 80}
    try:
        check_address(url)
    except ValidationError as refused:
        errors["url"] = refused.messages
    if len(url) > 300:
        errors["url"] = _("At most %(limit)s characters are possible here.") % {"limit": 300}
    owner = SecurityCommand.objects.active().filter(code=command).first()
    if owner is None:
        errors["command"] = _("Choose one from the list.")
    if errors or owner is None:
        raise ValidationError(errors)
    secret = new_secret()
    made = Webhook.objects.create(
        name=name, command=owner, url=url, sealed_secret=seal_text(secret), made_by=by, made_at=now
    )
    _record(made, "made", posting, by, now)
    return made, secret


@transaction.atomic
def switch(webhook: Webhook, is_on: bool, *, by: User, now: dt.datetime) -> Webhook:
    """Off: what waits for it is dropped when its turn comes. On: it hears of what happens from now."""
    posting = judge_roles(MAKERS, by.current_postings)
    row = Webhook.objects.select_for_update().get(pk=webhook.pk)
    if row.is_on != is_on:
        row.is_on = is_on
        row.save(update_fields=["is_on"])
        _record(row, "on" if is_on else "off", posting, by, now)
    return row


def _record(row: Webhook, done: str, posting: Posting, by: User, now: dt.datetime) -> None:
    """The address without its path, which may hold a key of the other system. Whoever makes webhooks is told of all."""
    after = {"name": row.name, "command": row.command.code, "host": urlsplit(row.url).hostname or ""}
    entry = entries.record(Act.ACCOUNT, f"webhook_{done}", by=by, posting=posting, now=now, after=after)
    tell(entry, holders(MAKERS, now), "account")
