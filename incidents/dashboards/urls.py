"""Addresses of the dashboard."""

from django.urls import path

from incidents.dashboards import views

app_name = "dashboards"
urlpatterns = [
    path("", views.page, name="page"),
    path("live", views.live, name="live"),
    path("map/areas", views.areas, name="areas"),
    path("map/points", views.points, name="points"),
    path("map/outlines/<str:place>", views.outlines, name="outlines"),
]
