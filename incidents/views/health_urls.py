"""Probes for machines: /healthz, /readyz, /health/engine, /metrics."""

from django.urls.resolvers import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
