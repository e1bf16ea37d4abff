"""Addresses of escalation as a whole: what moves next, policies, drills, deliveries, the engine."""

from django.urls import URLPattern

app_name = "escalation"
urlpatterns: list[URLPattern] = []
