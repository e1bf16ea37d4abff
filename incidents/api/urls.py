"""Addresses of the REST API, version 1."""

from django.contrib.auth.decorators import login_required
from django.urls import path, re_path
from django.urls.resolvers import URLPattern, URLResolver
from drf_spectacular.views import SpectacularAPIView

from incidents.api import base, documentation

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", login_required(documentation.Documentation.as_view()), name="docs"),
    re_path(r"^.*$", base.NothingHere.as_view(), name="nothing-here"),
]
