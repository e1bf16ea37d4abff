"""Cases: the list and its GeoJSON, one case, its timeline, and the two ways to write: report and act."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from commands.models import User
from incidents import actions, referrals
from incidents.api import geojson, timeline
from incidents.api.base import Door, ListDoor
from incidents.api.formats import GEOJSON, GeoJSONRenderer
from incidents.api.inputs import ACTS, CorrectionSerializer, ReportSerializer, read_act
from incidents.api.pagination import TimeCursor
from incidents.api.problems import Problem
from incidents.api.replays import id_from, same_report
from incidents.api.schema import ACT_EXAMPLES, ACT_REQUEST, FILTERS, IDEMPOTENCY_KEY, IF_MATCH, PROBLEMS
from incidents.api.scope import detailed_keys, filtered
from incidents.api.serializers import IncidentDetailSerializer, IncidentSerializer, ReceiptSerializer
from incidents.api.timeline import EntrySerializer
from incidents.choices import Act, Channel
from incidents.intake import is_known
from incidents.models import Entry, Incident
from incidents.named import named

LIST = {
    (200, "application/json"): IncidentSerializer(many=True),
    (200, GEOJSON): OpenApiTypes.OBJECT,
    **PROBLEMS(400),
}


#: Acts an address of the API does: those of `…/acts/`, and `attach` at `…/attachments/`.
OFFERED = frozenset({*ACTS, Act.ATTACH})


def find(request: Request, pk: uuid.UUID) -> Incident:
    """The case, or 404: not visible and not existing are the same answer."""
    cases = Incident.objects.visible_to(cast(User, request.user)).with_names().select_related("assignee")
    return get_object_or_404(cases, pk=pk)


def etag(incident: Incident) -> str:
    return f'"{incident.version}"'


def show(request: Request, incident: Incident, code: int = 200, *, detailed: set[uuid.UUID] | None = None) -> Response:
    """One case as its reader may see it, with its version as ETag; `detailed` where the caller has asked already."""
    user = cast(User, request.user)
    survivor = incident.merged_into_id
    if survivor and not Incident.objects.visible_to(user).filter(pk=survivor).exists():
        survivor = None
    context = {
        "request": request,
        "detailed": detailed_keys(user, [incident]) if detailed is None else detailed,
        "acts": [act for act in actions.allowed(incident, user) if act in OFFERED],
        "merged_into": str(survivor) if survivor else None,
        "referrals": referrals.numbered(incident),
        "concerned": incident.subjects.values_list("command__code", flat=True) if incident.is_sealed else [],
    }
    return Response(
        IncidentDetailSerializer(incident, context=context).data, status=code, headers={"ETag": etag(incident)}
    )


class Incidents(ListDoor):
    """The cases you may see, newest first; `POST` reports one."""

    serializer_class = IncidentSerializer
    pagination_class = TimeCursor
    ordering = TimeCursor.ordering
    renderer_classes = [JSONRenderer, GeoJSONRenderer]
    checks_parameters = False
    queryset = Incident.objects.none()

    def get_queryset(self) -> QuerySet[Incident]:
        # Which cases, from an index alone; what they say is read by key.
        return filtered(self.request).only("id", "reported_at")

    @extend_schema(
        tags=["incidents"], summary="List cases", parameters=FILTERS, operation_id="incidents_list", responses=LIST
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        found = self.paginate_queryset(self.get_queryset())
        assert found is not None  # noqa: S101 - the list always has a paginator
        rows = named([incident.pk for incident in found])
        detailed = detailed_keys(cast(User, request.user), rows)
        if isinstance(request.accepted_renderer, GeoJSONRenderer):
            page = cast(TimeCursor, self.paginator)
            features = [geojson.feature(row, detailed=row.pk in detailed) for row in rows]
            return Response(geojson.collection(features, next=page.next, previous=page.previous))
        serializer = IncidentSerializer(rows, many=True, context={"request": request, "detailed": detailed})
        return self.get_paginated_response(serializer.data)

    @extend_schema(
        tags=["incidents"],
        summary="Report a case",
        parameters=[IDEMPOTENCY_KEY],
        request=ReportSerializer,
        responses={
            201: IncidentDetailSerializer,
            200: OpenApiResponse(IncidentDetailSerializer, "The same report, sent again: the case as it is now."),
            202: OpenApiResponse(ReceiptSerializer, "Kept, now or before, and sealed from you: its number is all."),
            **PROBLEMS(400, 403, 409, 413, 415, 422),
        },
    )
    def post(self, request: Request) -> Response:
        serializer = ReportSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return report(request, dict(serializer.validated_data))


def report(request: Request, data: dict[str, Any]) -> Response:
    """Report, once: 201 the first time, 200 for the same report again, 422 for another report under the same id.

    202 with the number alone where the report is sealed from its own writer: «nothing here» would make them send it
    again and again.
    """
    user, now = cast(User, request.user), timezone.now()
    data["id"] = key = data.get("id") or id_from(request)
    data["concerned"] = tuple(data.get("concerned", ()))
    wanted = actions.Report(**data)
    known = None
    if key and is_known(key):
        known = Incident.objects.visible_to(user).filter(reporter=user, pk=key).first()
    incident = known or report_once(wanted, user, now)
    again = known is not None or incident.reported_at != now
    if again and not same_report(incident, wanted):
        detail = _("A report with this id or key was received before, and it said something else.")
        raise Problem("key-reused", 422, detail)
    detailed = detailed_keys(user, [incident])
    # Who may read the details sees the case, so one question is enough as a rule.
    if not detailed and not Incident.objects.visible_to(user).filter(pk=incident.pk).exists():
        return Response(ReceiptSerializer(incident).data, status=202)
    # A new case is as it was written a moment ago.
    shown = find(request, incident.pk) if again else incident
    response = show(request, shown, 200 if again else 201, detailed=detailed)
    response.headers["Location"] = request.build_absolute_uri(f"/api/v1/incidents/{incident.pk}/")
    return response


def report_once(wanted: actions.Report, user: User, now: dt.datetime) -> Incident:
    """Two requests with one id at one moment: the later one finds the key taken, and then the case of the earlier."""
    try:
        return actions.report(wanted, by=user, now=now, channel=Channel.API)
    except IntegrityError:
        return actions.report(wanted, by=user, now=now, channel=Channel.API)


class IncidentDetail(Door):
    """One case."""

    @extend_schema(
        tags=["incidents"],
        summary="Read a case",
        operation_id="incidents_retrieve",
        responses={200: IncidentDetailSerializer, **PROBLEMS(404)},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        return show(request, find(request, pk))


class Acts(Door):
    """Do something to a case."""

    @extend_schema(
        tags=["incidents"],
        summary="Act on a case",
        parameters=[IF_MATCH],
        request=ACT_REQUEST,
        examples=ACT_EXAMPLES,
        responses={
            200: IncidentDetailSerializer,
            204: OpenApiResponse(None, "Done, and the case is out of your sight now."),
            **PROBLEMS(400, 403, 404, 409, 415, 428),
        },
    )
    def post(self, request: Request, pk: uuid.UUID) -> Response:
        incident = find(request, pk)
        act, fields = read_act(request.data)
        version = version_seen(request, fields.pop("version", None))
        not_of_the_future(version, incident)
        with meanwhile(request, incident), named_fields(act):
            prepare(act, fields, cast(User, request.user))
            actions.perform(
                act,
                incident,
                by=cast(User, request.user),
                version=version,
                now=timezone.now(),
                channel=Channel.API,
                **fields,
            )
        return self._shown(request, pk)

    @staticmethod
    def _shown(request: Request, pk: uuid.UUID) -> Response:
        """The case after the act; 204 where the act took it out of this person's sight (handed on, joined)."""
        user = cast(User, request.user)
        if Incident.objects.visible_to(user).filter(pk=pk).exists():
            return show(request, find(request, pk))
        return Response(status=204)


@contextmanager
def meanwhile(request: Request, incident: Incident) -> Iterator[None]:
    """Turn a stale version into 409 with every act since, as this reader may see them."""
    try:
        yield
    except actions.StaleVersion as stale:
        detailed = bool(detailed_keys(cast(User, request.user), [incident]))
        entries = timeline.rows(stale.meanwhile, detailed=detailed)
        raise Problem("stale", 409, " ".join(stale.messages), meanwhile=entries) from None


def version_seen(request: Request, in_body: int | None) -> int:
    """The version the client acts on: `If-Match: "3"` or `version` in the content. 428 where it gives none."""
    header = request.headers.get("If-Match", "").strip()
    number = header.removeprefix("W/").strip('"')
    if header and not (number.isascii() and number.isdigit() and len(number) <= 10 and 0 < int(number) < 2**31):
        sentence = _('Send If-Match with the ETag of the case as you read it, like "3".')
        raise Problem("bad-request", 400, sentence)
    if header and in_body is not None and int(number) != in_body:
        raise Problem("bad-request", 400, _("If-Match and version name two different versions."))
    if not header and in_body is None:
        sentence = _("Send the version of the case you read, as If-Match or version, so that nothing is overwritten.")
        raise Problem("version-needed", 428, sentence)
    return int(number) if header else cast(int, in_body)


def not_of_the_future(version: int, incident: Incident) -> None:
    """Refuse a version the case has not reached: nobody acted meanwhile, so no `stale` would tell the client why."""
    if version > incident.version:
        known = {"version": version, "present": incident.version}
        sentence = _("Version %(version)d of this case is not known: it is at %(present)d. Read it again.") % known
        raise Problem("bad-request", 400, sentence)


#: No person: the write path refuses it in the words for anybody who cannot be assigned.
NOBODY = -1


def prepare(act: str, fields: dict[str, Any], user: User) -> None:
    """Turn the names the API uses into what the write path takes."""
    if act == Act.ASSIGN and fields["assignee"] is not None:
        person = User.objects.filter(username=fields["assignee"], is_active=True).first()
        fields["assignee"] = person.pk if person else NOBODY
    if act == Act.MERGE and not Incident.objects.visible_to(user).filter(pk=fields["survivor"]).exists():
        raise ValidationError({"survivor": _("Choose another open case.")})


@contextmanager
def named_fields(act: str) -> Iterator[None]:
    """Refusals of a correction point into `fields`, where the value stands in the content."""
    try:
        yield
    except ValidationError as error:
        if act != Act.CORRECT or not hasattr(error, "error_dict"):
            raise
        inside = {name: texts for name, texts in error.message_dict.items() if name in CorrectionSerializer().fields}
        outside = {name: texts for name, texts in error.message_dict.items() if name not in inside}
        raise serializers.ValidationError({**outside, "fields": inside} if inside else outside) from None


class Timeline(ListDoor):
    """What was done to the case, oldest first."""

    serializer_class = EntrySerializer
    # Not by the key, which stands in the cursor: it runs over all cases, and its gaps would count acts on sealed ones.
    ordering = ("version", "at")
    queryset = Entry.objects.none()

    @extend_schema(
        tags=["incidents"],
        summary="What was done to a case",
        responses={200: EntrySerializer(many=True), **PROBLEMS(404)},
    )
    def get(self, request: Request, pk: uuid.UUID) -> Response:
        incident = find(request, pk)
        entries = self.paginate_queryset(timeline.entries_of(incident))
        detailed = bool(detailed_keys(cast(User, request.user), [incident]))
        return self.get_paginated_response(timeline.rows(entries or [], detailed=detailed))
