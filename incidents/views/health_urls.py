"""Probes for machines: /healthz, /readyz, /health/engine, /metrics."""

from django.urls import path

from incidents.views import health

urlpatterns = [
    # The process answers.
    path("healthz", health.alive, name="healthz"),
    # It can serve: database reachable and migrated, broker reachable.
    path("readyz", health.ready, name="readyz"),
    # Deadlines are being watched: 503 when the engine is late.
    path("health/engine", health.engine, name="engine_health"),
    # Numbers about the system, for Prometheus.
    path("metrics", health.metrics, name="metrics"),
]
