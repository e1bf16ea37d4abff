"""The stage of the scope matrix: one row of everything that has an address of its own, and those addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.core.files.base import ContentFile
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from commands.models import ApiToken, ContactPoint
from elections.khmer import search_key
from elections.models import Jurisdiction
from incidents.choices import Verification
from incidents.models import (
    Attachment,
    ConflictSubject,
    Custody,
    DrillCall,
    Entry,
    Incident,
    Notice,
    NoticeChannel,
    NoticeStatus,
    PublicNotice,
    Webhook,
)
from tests.cast import DEMO_COMMUNE, NOW, Cast
from tests.incidents.drills.stage import call_of, hold
from tests.incidents.duty_stage import Duty, plan_duty
from tests.incidents.plain_case import plain_case
from tests.incidents.policies.drafts import drafted, edited, faster, published


def discovered(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for part in (resolver or get_resolver()).url_patterns:
        if isinstance(part, URLResolver):
            inner = f"{namespace}{part.namespace}:" if part.namespace else namespace
            yield from discovered(part, inner)
        else:
            yield f"{namespace}{part.name}", part


@dataclass
class Stage:
    cast: Cast
    ordinary: Incident
    sealed: Incident
    file: Attachment
    sealed_file: Attachment
    inbox: Notice
    token: ApiToken
    draft: PublicNotice
    call: DrillCall
    duty: Duty
    hook: Webhook

    def url(self, name: str, incident: Incident) -> str:
        """The address of `name`, its parts filled in from the stage."""
        pattern = next(p for n, p in discovered() if n == name)
        own = {"incidents:open_notice": self.inbox.pk, "account:revoke_token": self.token.pk}
        own["escalation:webhook_switch"] = self.hook.pk
        own["escalation:try_again"] = 987_654_321
        own |= dict.fromkeys(("escalation:drill_answer", "escalation:drill_heard"), self.call.pk)
        own |= {f"escalation:drill{part}": self.call.drill_id for part in ("", "_live", "_csv", "_cancel")}
        if name.startswith("contacts:"):
            own[name] = ContactPoint.objects.filter(user=self.cast.officer).values_list("pk", flat=True).first()
        if name.startswith("duty:"):
            part = name.removeprefix("duty:").partition("_")[0]
            own[name] = getattr(self.duty, part).pk if part in ("shift", "cover", "swap", "delegation") else None
        file = self.sealed_file if incident is self.sealed else self.file
        about_notice = name in ("nec:notice", "nec:revise", "nec:issue", "nec:cancel", "nec:cap", "nec:cap_alert")
        values: dict[str, str | int | UUID] = {
            "pk": own.get(name) or (self.draft.pk if about_notice else incident.pk),
            "file": file.pk,
            "pcode": "KH21",
            "code": "KH" if name == "incidents:report_outlines" else incident.election.code,
            "place": "KH",
            "token": "token",
            "channel": "sms",
            # Of two versions the second is a draft.
            "number": 2 if name.rpartition("_")[2] in ("edit", "publish", "discard") else 1,
            "command": self.cast.command("duty_commander").code,
        }
        wanted = {k: v for k, v in values.items() if k in pattern.pattern.converters}
        return "/api/v1/nothing" if name == "api:nothing-here" else reverse(name, kwargs=wanted)


def set_up(cast: Cast) -> Stage:
    ordinary = plain_case(
        reported_at=NOW - dt.timedelta(hours=1),
        verification=Verification.VERIFIED,
        lat=11.0,
        lon=104.78,
        search_key=search_key("motorbike"),
    )
    # A version of the election, and a draft made from it.
    edited(drafted(published(faster(2))), faster(2))
    return Stage(
        cast=cast,
        ordinary=ordinary,
        sealed=(sealed := seal_one(cast)),
        file=attach(ordinary),
        sealed_file=attach(sealed),
        inbox=put_in_inbox(ordinary, cast),
        token=ApiToken.objects.create(user=cast.officer, name="phone", digest="0" * 64, hint="esi_0", created_at=NOW),
        draft=draft_for(ordinary, cast),
        call=call_of(hold(cast.command("duty_commander").code), cast.command("duty_commander").code),
        duty=acted_for_from_above(cast),
        hook=Webhook.objects.create(
            name="Desk",
            command=cast.command("provincial"),
            url="https://example.org/",
            sealed_secret=b"",
            made_by=cast.psc,
            made_at=NOW,
        ),
    )


def acted_for_from_above(cast: Cast) -> Duty:
    """Duty with a delegation to the province, which sees the district's cases: a neighbour would too."""
    duty = plan_duty(cast)
    duty.delegation.acting = cast.command("provincial")
    duty.delegation.save(update_fields=["acting"])
    return duty


def seal_one(cast: Cast) -> Incident:
    """A report about the first district of the Demo Province, held by the integrity desk of the province."""
    desk = cast.command("demo_integrity")
    sealed = plain_case(
        reported_at=NOW - dt.timedelta(hours=1),
        place_id=DEMO_COMMUNE,
        is_sealed=True,
        reporter=cast.demo_liaison,
        reporting_command=cast.command("demo_liaison"),
        owner=desk,
        lat=9.5,
        lon=102.5,
        search_key=search_key("motorbike"),
    )
    ConflictSubject.objects.create(incident=sealed, command=cast.command("demo_duty"))
    Custody.objects.create(incident=sealed, command=desk, reason="reported", due_at=NOW, at=NOW)
    return sealed


def attach(incident: Incident) -> Attachment:
    return Attachment.objects.create(
        incident=incident,
        name="photo.jpg",
        content_type="image/jpeg",
        size=4,
        sha256="0" * 64,
        original=ContentFile(b"\xff\xd8\xff\xd9", "photo.jpg"),
        derived=ContentFile(b"\xff\xd8\xff\xd9", "photo.jpg"),
        uploaded_by=incident.reporter,
        uploaded_at=NOW,
    )


def put_in_inbox(incident: Incident, cast: Cast) -> Notice:
    entry = Entry.objects.create(incident=incident, act="report", at=NOW, channel="browser", by=cast.officer, version=1)
    return Notice.objects.create(
        entry=entry,
        incident=incident,
        recipient=cast.duty_commander,
        channel=NoticeChannel.INBOX,
        kind="report",
        status=NoticeStatus.SENT,
        created_at=NOW,
    )


def draft_for(incident: Incident, cast: Cast) -> PublicNotice:
    texts = {
        f"{part}_{language}": "A road is closed."
        for part in ("event", "headline", "instruction")
        for language in ("km", "en")
    }
    return PublicNotice.objects.create(
        incident=incident,
        area=Jurisdiction.objects.get(pcode="KH21"),
        category="Safety",
        expires_at=NOW + dt.timedelta(hours=6),
        drafted_by=cast.nec,
        drafted_at=NOW,
        **texts,
    )
