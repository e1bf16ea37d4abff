"""The case itself, who holds it, and whom it concerns."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Substr
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from commands.models import SecurityCommand
from elections.choices import Phase
from elections.models import Election, Jurisdiction
from incidents.choices import (
    OPEN,
    Act,
    ActorType,
    Channel,
    Classification,
    ClockKind,
    DismissReason,
    Means,
    Outcome,
    PersonRole,
    PointPrecision,
    Severity,
    State,
    TargetType,
    TimePrecision,
    Verification,
)
from incidents.models.policy import Policy
from incidents.models.taxonomy import Category
from incidents.querysets import IncidentQuerySet

IS_OPEN = Q(state__in=OPEN)
#: Open and in the numbers of the ladder.
IS_COUNTED_OPEN = Q(state__in=OPEN, is_sealed=False)


class ReferenceCounter(models.Model):
    """The last number given out, for an election and a province; locked while the next is taken. Gaps are allowed.

    Sealed cases count in a row of their own (province "X"), so a missing number reveals nothing.
    """

    election = models.ForeignKey(Election, models.CASCADE, related_name="+")
    province = models.CharField(max_length=4)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["election", "province"], name="one_counter_a_province")]


class Incident(models.Model):
    """One report of one event, from first words to closing.

    Five axes that are never one status: `state` (what is being done), `verification` (is it true), `classification`
    (what NEC says it is), `severity` and `owner` (which command answers for it now). The client may choose `id`: it is
    the idempotency key. Written by `actions` and the engine only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    #: For radio use: CC27-12-000123 (election, province, number).
    reference = models.CharField(_("reference"), max_length=24, unique=True)
    # Foreign keys that nothing is looked up by, or that another index begins with, have no index of their own: every
    # act writes each index of its case anew (docs/decisions/0010-engine.md).
    election = models.ForeignKey(
        Election, models.PROTECT, related_name="incidents", verbose_name=_("election"), db_index=False
    )
    phase = models.CharField(_("phase"), max_length=12, choices=Phase.choices)
    category = models.ForeignKey(Category, models.PROTECT, related_name="incidents", verbose_name=_("category"))
    #: The version in force when it was reported; only REBASE changes it.
    policy = models.ForeignKey(
        Policy, models.PROTECT, related_name="incidents", verbose_name=_("escalation policy"), db_index=False
    )
    #: The phase its clocks were last timed by; `phase` stays that of the report.
    clock_phase = models.CharField(max_length=12, choices=Phase.choices)

    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.REPORTED)
    severity = models.CharField(_("severity"), max_length=8, choices=Severity.choices)
    initial_severity = models.CharField(max_length=8, choices=Severity.choices)
    verification = models.CharField(
        _("verification"), max_length=24, choices=Verification.choices, default=Verification.UNVERIFIED
    )
    classification = models.CharField(
        _("classification"), max_length=12, choices=Classification.choices, default=Classification.UNDETERMINED
    )
    proposed_classification = models.CharField(
        _("proposed by police"), max_length=12, choices=Classification.choices, default=Classification.UNDETERMINED
    )
    owner = models.ForeignKey(SecurityCommand, models.PROTECT, related_name="incidents", verbose_name=_("owner"))
    #: Ladder position of the owner, and the highest it ever was; 0 post to 3 PSC, 0 for bodies beside the ladder.
    rung = models.PositiveSmallIntegerField(default=0)
    highest_rung = models.PositiveSmallIntegerField(default=0)
    #: False from a hand-over until the new owner accepts or acknowledges.
    is_accepted = models.BooleanField(default=False)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned_incidents",
        db_index=False,
    )

    occurred_at = models.DateTimeField(_("occurred"))
    time_precision = models.CharField(
        _("how exact"), max_length=10, choices=TimePrecision.choices, default=TimePrecision.MINUTES
    )
    reported_at = models.DateTimeField(_("reported"))
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="reported_incidents", db_index=False
    )
    reporting_command = models.ForeignKey(SecurityCommand, models.PROTECT, related_name="+", db_index=False)
    channel = models.CharField(_("reported through"), max_length=8, choices=Channel.choices)

    #: Village or commune where known, never above district. The column holds the P-code itself.
    place = models.ForeignKey(Jurisdiction, models.PROTECT, related_name="incidents", verbose_name=_("place"))
    province_code = models.GeneratedField(
        expression=Substr(F("place"), 1, 4), output_field=models.CharField(max_length=4), db_persist=True
    )
    district_code = models.GeneratedField(
        expression=Substr(F("place"), 1, 6), output_field=models.CharField(max_length=6), db_persist=True
    )
    #: Degrees WGS 84; both or neither.
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    point_precision = models.CharField(max_length=6, choices=PointPrecision.choices, default=PointPrecision.AREA)

    # Tier T2: narrative, exact place. Never shown to roles that see the operational data only.
    title = models.CharField(_("title"), max_length=120, blank=True)
    narrative = models.TextField(_("what happened"))
    place_note = models.CharField(_("exact place"), max_length=200, blank=True)
    #: Normalised title and narrative for search; see `khmer.search_key`.
    search_key = models.TextField(blank=True, editable=False)

    actor_type = models.CharField(_("who acted"), max_length=20, choices=ActorType.choices, default=ActorType.UNKNOWN)
    target_type = models.CharField(_("against whom or what"), max_length=20, choices=TargetType.choices, blank=True)
    means = models.CharField(_("by what means"), max_length=10, choices=Means.choices, blank=True)
    is_gender_based = models.BooleanField(_("gender-based"), default=False)
    killed = models.PositiveIntegerField(_("killed"), default=0)
    injured = models.PositiveIntegerField(_("injured"), default=0)
    stations_affected = models.PositiveIntegerField(_("stations affected"), default=0)
    minutes_stopped = models.PositiveIntegerField(_("minutes stopped"), default=0)
    voters_affected = models.PositiveIntegerField(_("voters affected"), default=0)

    #: Conflict of interest: out of sight and out of every count of the unit concerned and of the ladder (tier T4).
    is_sealed = models.BooleanField(default=False)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged", db_index=False
    )
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, blank=True)
    dismiss_reason = models.CharField(_("why not"), max_length=14, choices=DismissReason.choices, blank=True)

    #: An act that waits for a second person: withdraw, dismiss or resolve; see `lifecycle.COUNTERSIGNED`.
    request_act = models.CharField(max_length=20, choices=Act.choices, blank=True)
    request_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    request_at = models.DateTimeField(null=True, blank=True)
    request_reason = models.TextField(blank=True)
    #: What the requested act needs (outcome, dismissal reason), as its keyword arguments.
    request_data = models.JSONField(default=dict, blank=True)

    acknowledged_at = models.DateTimeField(null=True, blank=True)
    first_update_at = models.DateTimeField(null=True, blank=True)
    last_update_at = models.DateTimeField(null=True, blank=True)
    contained_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    classified_at = models.DateTimeField(null=True, blank=True)
    reopened_count = models.PositiveSmallIntegerField(default=0)
    #: Set while its clocks are paused, for lists.
    snoozed_until = models.DateTimeField(null=True, blank=True)
    #: Earliest deadline (not warning) of the running clocks, for sorting; and which it is.
    next_due_at = models.DateTimeField(null=True, blank=True)
    next_due_kind = models.CharField(max_length=12, choices=ClockKind.choices, blank=True)
    #: Grows by one with every act; what `If-Match` and the forms carry.
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-reported_at", "-id"]
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        indexes = [
            # Queues: open cases, soonest deadline first, of the country, a province, a district, an owner.
            models.Index(fields=["next_due_at", "id"], condition=IS_OPEN, name="queue_country"),
            models.Index(fields=["province_code", "next_due_at", "id"], condition=IS_OPEN, name="queue_province"),
            models.Index(fields=["district_code", "next_due_at", "id"], condition=IS_OPEN, name="queue_district"),
            models.Index(fields=["owner", "next_due_at", "id"], condition=IS_OPEN, name="queue_owner"),
            # The board: handed over and not accepted; paused, the first to run again on top.
            models.Index(
                fields=["next_due_at", "id"],
                condition=Q(is_accepted=False, state__in=[State.ACKNOWLEDGED, State.RESPONDING, State.CONTAINED]),
                name="handed_over",
            ),
            models.Index(
                fields=["snoozed_until", "id"], condition=Q(snoozed_until__isnull=False), name="paused_by_end"
            ),
            # Lists and exports: newest first.
            models.Index(fields=["-reported_at", "-id"], name="list_country"),
            models.Index(fields=["province_code", "-reported_at", "-id"], name="list_province"),
            models.Index(fields=["district_code", "-reported_at", "-id"], name="list_district"),
            models.Index(fields=["reporter", "-reported_at"], name="list_reporter"),
            models.Index(fields=["assignee", "next_due_at"], condition=Q(assignee__isnull=False), name="list_assignee"),
            # NEC's queue of unclassified cases.
            models.Index(
                fields=["reported_at"],
                include=[
                    "state",
                    "severity",
                    "phase",
                    "is_sealed",
                    "election",
                    "province_code",
                    "category",
                ],
                condition=Q(classification=Classification.UNDETERMINED),
                name="unclassified",
            ),
            models.Index(fields=["election", "reported_at"], name="list_election"),
            # The map's viewport.
            models.Index(fields=["lat", "lon"], condition=Q(lat__isnull=False), name="points"),
            # The map of what is open, clustered and by commune, from the index alone.
            models.Index(
                fields=["lat", "lon"],
                include=["place", "category", "severity", "state", "reference", "province_code", "district_code"],
                condition=IS_COUNTED_OPEN & Q(lat__isnull=False),
                name="open_points",
            ),
            # Dashboards: counted from the index alone. What is true of what is open; what has no point; what waits.
            models.Index(
                fields=["province_code", "district_code", "verification"],
                include=["severity", "reported_at", "election", "category"],
                condition=IS_COUNTED_OPEN,
                name="open_by_verification",
            ),
            # Serious ones among those without a point stand in their commune: counted from the index alone too.
            models.Index(
                fields=["province_code", "district_code"],
                include=["severity", "place", "category", "state", "reference", "election"],
                condition=IS_COUNTED_OPEN & Q(lat__isnull=True),
                name="open_without_a_point",
            ),
            # How long a week's serious cases waited for their acknowledgement, from the index alone.
            models.Index(
                fields=["reported_at"],
                include=[
                    *("severity", "acknowledged_at", "state", "province_code", "district_code", "election", "category"),
                ],
                condition=Q(severity__in=[Severity.CRITICAL, Severity.HIGH], acknowledged_at__isnull=False)
                & Q(is_sealed=False),
                name="serious_acknowledged",
            ),
            # What was open yesterday: most of it is open now, and the rest ended since.
            models.Index(
                fields=["resolved_at"],
                include=[
                    *("severity", "state", "reopened_count", "reported_at", "province_code", "district_code"),
                    *("election", "category"),
                ],
                condition=Q(resolved_at__isnull=False, is_sealed=False),
                name="ended_by_time",
            ),
            models.Index(fields=["merged_into"], condition=Q(merged_into__isnull=False), name="merged_by_survivor"),
            models.Index(fields=["request_at"], condition=~Q(request_act=""), name="requests_waiting"),
            models.Index(fields=["reported_at"], condition=Q(is_sealed=True), name="sealed_by_time"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(IS_OPEN & Q(next_due_at__isnull=False)) | (~IS_OPEN & Q(next_due_at__isnull=True)),
                name="open_case_has_a_deadline_and_a_closed_one_has_none",
            ),
            models.CheckConstraint(
                condition=(Q(state=State.MERGED) & Q(merged_into__isnull=False))
                | (~Q(state=State.MERGED) & Q(merged_into__isnull=True)),
                name="merged_case_names_its_survivor",
            ),
            models.CheckConstraint(
                # Both are asked for by name: a CHECK that comes to NULL counts as met.
                condition=Q(lat__isnull=True, lon__isnull=True)
                | Q(lat__isnull=False, lon__isnull=False, lat__range=(-90, 90), lon__range=(-180, 180)),
                name="point_is_whole_and_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def get_absolute_url(self) -> str:
        return reverse("incidents:detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_late_entry(self) -> bool:
        """Entered more than 24 hours after it happened; its clocks run from entry, and reports say so."""
        return self.reported_at - self.occurred_at > dt.timedelta(hours=24)


class ConflictSubject(models.Model):
    """A unit the report is about. The case is sealed from that command and everything under it."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="subjects")
    command = models.ForeignKey(SecurityCommand, models.PROTECT, related_name="+", verbose_name=_("unit concerned"))
    #: True where the subject is the civil authority of the same place, not the command itself.
    is_civil_authority = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["incident", "command"], name="one_subject_a_case_and_unit")]

    def __str__(self) -> str:
        return str(self.command)


class Custody(models.Model):
    """Who held the case from when: one row a hand-over. The sender stays accountable until it is accepted."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="custodies")
    command = models.ForeignKey(SecurityCommand, models.PROTECT, related_name="custodies", db_index=False)
    from_command = models.ForeignKey(
        SecurityCommand, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=40)
    #: When the hand-over was due by rule; equals `at` for an act of a person.
    due_at = models.DateTimeField()
    at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["incident", "pk"]
        indexes = [models.Index(fields=["command", "incident"], name="custody_of_command")]


class ProtectedPerson(models.Model):
    """Identity of a person harmed, a witness or a source (tier T3): encrypted with a key kept outside the database.

    Never in search, lists, exports, logs or the admin; opened case by case under a grant, each opening journaled.
    """

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="persons")
    role = models.CharField(max_length=8, choices=PersonRole.choices)
    sealed = models.BinaryField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()


class IdentityGrant(models.Model):
    """Leave for one person to open the identities of one case until a moment."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="identity_grants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.TextField()
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("granted_at")), name="grant_expires_after_it_starts"),
            models.CheckConstraint(condition=~Q(user=F("granted_by")), name="nobody_grants_to_themselves"),
        ]


class StationChange(models.Model):
    """A polling station moved by the NEC because of a case; the total of stations does not change."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="station_changes")
    station = models.CharField(_("station"), max_length=120)
    old_place = models.CharField(_("from"), max_length=200)
    new_place = models.CharField(_("to"), max_length=200)
    voters_affected = models.PositiveIntegerField(_("voters affected"))
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
