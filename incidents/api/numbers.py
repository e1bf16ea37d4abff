"""Measures: the numbers of dashboards and reports with their definitions, from the one place that computes them."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from commands.models import User
from incidents.api.base import Door
from incidents.api.problems import BadParameters
from incidents.api.schema import FILTERS, PROBLEMS
from incidents.api.scope import asked_for
from incidents.dashboards.measures import MEASURES, PERIOD, answer, cases_filter, measures_for
from incidents.dashboards.question import Period, Question

#: Days of a period at most: a year with room, so that one request cannot read the whole record.
LONGEST_DAYS = 400


class PeriodSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField(help_text="Not included.")


class MeasureSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()
    definition = serializers.CharField()
    unit = serializers.ChoiceField(["cases", "percent", "minutes", "people"])
    timing = serializers.ChoiceField(["now", "period"])
    value = serializers.FloatField(allow_null=True, help_text="Null where it cannot be said.")
    cases = serializers.URLField(allow_null=True, help_text="The list of exactly these cases, where there is one.")


class MeasuresSerializer(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField()
    period = PeriodSerializer()
    measures = MeasureSerializer(many=True)


class Measures(Door):
    """Every number you may have, over the cases you may see."""

    checks_parameters = False

    @extend_schema(
        tags=["numbers"],
        summary="Measures with their definitions and values",
        parameters=[
            *FILTERS,
            OpenApiParameter("name", many=True, enum=list(MEASURES), description="Only these; all if not given."),
            OpenApiParameter(
                "from", OpenApiTypes.DATE, description="First local day; with `to`. Else the last 7 days."
            ),
            OpenApiParameter("to", OpenApiTypes.DATE, description="Last local day, included."),
        ],
        responses={200: MeasuresSerializer, **PROBLEMS(400)},
    )
    def get(self, request: Request) -> Response:
        asked = asked_for(request, "name", "from", "to")
        question = Question(cast(User, request.user), timezone.now(), asked, period_of(request))
        found = [answer(name, question) for name in names_of(request)]
        body = {
            "as_of": question.now,
            "period": question.span,
            "measures": [
                {
                    "name": one.measure.name,
                    "title": one.measure.title,
                    "definition": one.measure.definition,
                    "unit": one.measure.unit,
                    "timing": one.measure.timing,
                    "value": one.value,
                    "cases": cases_link(request, question, one.measure.name),
                }
                for one in found
            ],
        }
        return Response(MeasuresSerializer(body).data)


def names_of(request: Request) -> list[str]:
    """The measures asked for, all of this person's if none; one that is not theirs is not known."""
    mine = [m.name for m in measures_for(cast(User, request.user))]
    wanted = list(dict.fromkeys(n for n in request.query_params.getlist("name") if n))
    if unknown := [n for n in wanted if n not in mine]:
        raise BadParameters({"name": _("There is no measure called «%(name)s».") % {"name": unknown[0][:60]}})
    return wanted or mine


def period_of(request: Request) -> Period | None:
    """Whole local days `from` … `to`, both included; None where neither is given."""
    days: dict[str, dt.date] = {}
    for name in ("from", "to"):
        if text := request.query_params.get(name, ""):
            try:
                days[name] = dt.date.fromisoformat(text)
            except ValueError:
                sentence = _("Write the day as year-month-day, like 2027-06-03.")
                raise BadParameters({name: sentence}) from None
    if not days:
        return None
    if len(days) < 2:
        raise BadParameters({"to" if "from" in days else "from": _("Give the first and the last day.")})
    if days["to"] < days["from"]:
        raise BadParameters({"to": _("The last day is before the first.")})
    if (days["to"] - days["from"]).days > LONGEST_DAYS or not 1900 < days["from"].year < days["to"].year + 1 < 2200:
        raise BadParameters({"to": _("A period has at most %(count)s days.") % {"count": LONGEST_DAYS}})
    return Period.of_days(days["from"], days["to"])


def cases_link(request: Request, question: Question, name: str) -> str | None:
    """Where the counted cases are listed. A period's measures have no such list."""
    query = None if MEASURES[name].timing == PERIOD else cases_filter(name, question.asked)
    return None if query is None else request.build_absolute_uri(f"/api/v1/incidents/?{query}")
