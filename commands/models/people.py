"""WHO: people, security commands as a tree, the dated postings that tie them together, and who acts for whom.

"Command" means a security command. Roles are not on the user: a person holds a role at a command from a day to a day,
and everything they may see or do follows from the postings in force now.
"""

from __future__ import annotations

import copy
import datetime as dt
import functools
import hashlib
import secrets
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from commands.choices import DELEGATED, RUNG, BodyKind, Force, Role
from commands.querysets import PostingQuerySet, SecurityCommandQuerySet
from elections.models import Bilingual, Jurisdiction
from elections.prepared import prepared


class User(AbstractUser):
    """A person who signs in. `is_superuser` and `is_staff` open the reference-data admin only, never a case."""

    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="km")
    theme = models.CharField(
        _("appearance"),
        max_length=5,
        choices=[("auto", _("As the device")), ("light", _("Light")), ("dark", _("Dark"))],
        default="auto",
    )

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = pgettext_lazy("accounts", "people")

    @functools.cached_property
    def current_postings(self) -> list[Posting]:
        """Postings in force, read once for each user object (a request): (role, command) with the command loaded."""
        if not self.is_active:
            return []
        found = self._holding(_in_force(self.pk, timezone.now()))
        return found + _held_for_others(found, timezone.now())

    def _holding(self, postings: list[Posting]) -> list[Posting]:
        """What of their postings counts."""
        if self.is_staff or self.is_superuser:
            # The admin writes postings: whoever may open it could else write themselves into every case.
            return [p for p in postings if p.role == Role.ADMINISTRATOR]
        return postings

    def has_role(self, *roles: Role) -> bool:
        return any(p.role in roles for p in self.current_postings)


class SecurityCommand(Bilingual):
    """A command of the ladder (PSC > capital or province > district > post) or a body beside it.

    `path` is the parents' codes joined by dots, ending in a dot, so a subtree is a prefix: `PSC.KH12.KH1201.`
    """

    code = models.SlugField(_("code"), max_length=24, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=BodyKind.choices)
    force = models.CharField(_("force"), max_length=14, choices=Force.choices, default=Force.JOINT)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("under")
    )
    path = models.CharField(max_length=120, unique=True, editable=False)
    jurisdiction = models.ForeignKey(
        Jurisdiction, models.PROTECT, related_name="commands", verbose_name=_("jurisdiction")
    )
    dissolved_on = models.DateField(_("dissolved on"), null=True, blank=True)

    objects = SecurityCommandQuerySet.as_manager()

    class Meta:
        ordering = ["path"]
        verbose_name = _("security command")
        verbose_name_plural = _("security commands")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "jurisdiction", "force"],
                condition=Q(kind__in=[k.value for k in RUNG], dissolved_on=None),
                name="one_command_a_place_kind_and_force",
                violation_error_message=_("This place already has such a command."),
            )
        ]

    @property
    def rung(self) -> int | None:
        """0 post, 1 district, 2 province, 3 PSC; None for bodies beside the ladder."""
        return RUNG.get(BodyKind(self.kind))


class Posting(models.Model):
    """A role at a command, from a moment to a moment. Ended, never deleted."""

    user = models.ForeignKey(User, models.PROTECT, related_name="postings", verbose_name=_("person"))
    role = models.CharField(_("role"), max_length=20, choices=Role.choices)
    command = models.ForeignKey(SecurityCommand, models.PROTECT, related_name="postings", verbose_name=_("command"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    #: When the person accepted the neutrality code of conduct for this posting.
    conduct_accepted_at = models.DateTimeField(_("code of conduct accepted"), null=True, blank=True)

    objects = PostingQuerySet.as_manager()
    #: Not a column: set on the copies that stand for another command through a delegation.
    is_acting = False

    class Meta:
        ordering = ["-starts_at"]
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        indexes = [
            models.Index(fields=["user", "ends_at"], name="posting_of_user"),
            models.Index(fields=["command", "role", "ends_at"], name="posting_at_command"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=models.F("starts_at")),
                name="posting_ends_after_start",
                violation_error_message=_("The posting must end after it starts."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} @ {self.command}"

    def clean(self) -> None:
        """A posting that would show cases is refused to who may open the admin: there it would show nothing."""
        if self.role != Role.ADMINISTRATOR and self.user_id and (self.user.is_staff or self.user.is_superuser):
            raise ValidationError({"role": _("Whoever administers the system reads no case. Use a second account.")})


@prepared
def _in_force(user: Any, now: Any) -> models.QuerySet[Posting]:
    found = Posting.objects.current(now).filter(user=user)
    return found.select_related("command", "command__jurisdiction").order_by("pk")


class Delegation(models.Model):
    """While it runs, whoever answers at `acting` answers for `command` as well: its cases, its notices, its duty.

    Nothing is copied: people who join or leave `acting` in that time gain or lose it with their own posting.
    """

    command = models.ForeignKey(
        SecurityCommand, models.PROTECT, related_name="delegations", verbose_name=_("command acted for")
    )
    acting = models.ForeignKey(
        SecurityCommand, models.PROTECT, related_name="acts_for", verbose_name=_("acting command")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=200)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-starts_at"]
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        indexes = [models.Index(fields=["acting", "ends_at"], name="delegation_by_acting")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")),
                name="delegation_ends_after_start",
                violation_error_message=_("The delegation must end after it starts."),
            ),
            models.CheckConstraint(
                condition=~Q(command=models.F("acting")),
                name="nobody_acts_for_themselves",
                violation_error_message=_("A command cannot act for itself."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.acting} > {self.command}"


def _held_for_others(postings: list[Posting], now: dt.datetime) -> list[Posting]:
    """What `postings` open besides, through delegations: copies, never saved, of the same key at the other command.

    The journal so names the posting a person truly holds, and the command they acted for.
    """
    own = {p.command_id: p for p in postings if p.role in DELEGATED}
    return _copies(own, _acting(sorted(own), now)) if own else []


def _copies(own: dict[int, Posting], delegations: Iterable[Delegation]) -> list[Posting]:
    held = []
    for delegation in delegations:
        posting = copy.copy(own[delegation.acting_id])
        posting.command = delegation.command
        posting.is_acting = True
        held.append(posting)
    return held


def read_postings(people: Iterable[User], now: dt.datetime) -> None:
    """Read `current_postings` of many people at once, at `now`: two queries, not two for each of them."""
    asked = [person for person in people if person.is_active]
    found: dict[int, list[Posting]] = defaultdict(list)
    rows = Posting.objects.current(now).filter(user__in={person.pk for person in asked})
    for posting in rows.select_related("command", "command__jurisdiction").order_by("pk"):
        found[posting.user_id].append(posting)
    held = {person.pk: person._holding(found[person.pk]) for person in asked}
    own = {key: {p.command_id: p for p in postings if p.role in DELEGATED} for key, postings in held.items()}
    acting: dict[int, list[Delegation]] = defaultdict(list)
    running = Delegation.objects.filter(acting__in={c for commands in own.values() for c in commands})
    running = running.filter(starts_at__lte=now, ends_at__gt=now)
    for delegation in running.select_related("command", "command__jurisdiction").order_by("pk"):
        acting[delegation.acting_id].append(delegation)
    for person in asked:
        theirs = sorted((d for command in own[person.pk] for d in acting[command]), key=lambda d: d.pk)
        person.__dict__["current_postings"] = held[person.pk] + _copies(own[person.pk], theirs)


@prepared
def _acting(commands: Any, now: Any) -> models.QuerySet[Delegation]:
    running = Delegation.objects.filter(acting__pk__in=commands, starts_at__lte=now, ends_at__gt=now)
    return running.select_related("command", "command__jurisdiction").order_by("pk")


class ApiToken(models.Model):
    """A token of one client of one person. Only its SHA-256 is kept; the token is shown once."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens", verbose_name=_("person"))
    name = models.CharField(_("client"), max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    #: First characters, to tell tokens apart in the list.
    hint = models.CharField(max_length=8, editable=False)
    created_at = models.DateTimeField(_("made"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @staticmethod
    def digest_of(token: str) -> str:
        return hashlib.sha256(token.encode()).hexdigest()

    @staticmethod
    def new_secret() -> str:
        """A fresh token, 256 random bits; not stored anywhere."""
        return f"esi_{secrets.token_urlsafe(32)}"

    def is_live(self, now: dt.datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
