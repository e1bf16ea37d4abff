"""Addresses of the REST API, version 1."""

from django.contrib.auth.decorators import login_required
from django.urls import path, re_path
from django.urls.resolvers import URLPattern, URLResolver
from drf_spectacular.views import SpectacularAPIView

from incidents.api import (
    attachments,
    base,
    cases,
    documentation,
    exports,
    layers,
    numbers,
    policies,
    reference,
    reports,
)

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("incidents.geojson", exports.IncidentsGeoJSON.as_view(), name="incidents-geojson"),
    path("jurisdictions/", reference.Jurisdictions.as_view(), name="jurisdictions"),
    path("jurisdictions/<slug:pcode>/", reference.JurisdictionDetail.as_view(), name="jurisdiction"),
    path("elections/", reference.Elections.as_view(), name="elections"),
    path("elections/<slug:code>/", reference.ElectionDetail.as_view(), name="election"),
    path("commands/", reference.Commands.as_view(), name="commands"),
    path("policies/", policies.Policies.as_view(), name="policies"),
    path("policies/<slug:code>/<int:number>/", policies.PolicyDetail.as_view(), name="policy"),
    path("categories/", reference.Categories.as_view(), name="categories"),
    path("map/areas", layers.MapAreas.as_view(), name="map-areas"),
    path("map/points", layers.MapPoints.as_view(), name="map-points"),
    path("measures/", numbers.Measures.as_view(), name="measures"),
    path("reports/weekly", reports.WeeklySummary.as_view(), name="reports-weekly"),
    path("reports/weekly/cases.csv", reports.WeeklyCases.as_view(), name="reports-weekly-cases"),
    path("problems/", reference.ProblemTypes.as_view(), name="problems"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", login_required(documentation.Documentation.as_view()), name="docs"),
    path("incidents/", cases.Incidents.as_view(), name="incidents"),
    path("incidents/<uuid:pk>/", cases.IncidentDetail.as_view(), name="incident"),
    path("incidents/<uuid:pk>/acts/", cases.Acts.as_view(), name="acts"),
    path("incidents/<uuid:pk>/timeline/", cases.Timeline.as_view(), name="timeline"),
    path("incidents/<uuid:pk>/attachments/", attachments.Attachments.as_view(), name="attachments"),
    path("incidents/<uuid:pk>/attachments/<uuid:file>/", attachments.AttachmentFile.as_view(), name="attachment"),
    # Last: it answers whatever is left.
    re_path(r"^.*$", base.NothingHere.as_view(), name="nothing-here"),
]
