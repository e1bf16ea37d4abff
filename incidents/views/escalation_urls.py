"""Addresses of escalation as a whole: what moves next, policies, drills, deliveries, the engine."""

from django.urls import include, path

app_name = "escalation"
urlpatterns = [
    # Rehearsals of the ladder.
    path("drills/", include("incidents.views.drill_urls")),
]
