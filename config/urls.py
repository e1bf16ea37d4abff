"""What the product does, as addresses."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from incidents.views.start import start

urlpatterns = [
    # Start page, by role.
    path("", start, name="start"),
    # Sign in and out, language, appearance, API tokens.
    path("account/", include("commands.urls")),
    # How I am reached: addresses, their codes and quiet hours.
    path("account/contacts/", include("incidents.views.contacts_urls")),
    # Log a case, the queue, the case page and its acts, files, inbox.
    path("incidents/", include("incidents.urls")),
    # Counts, charts and the map.
    path("dashboard/", include("incidents.dashboards.urls")),
    # Weekly summary and row exports.
    path("reports/", include("incidents.reports.urls")),
    # NEC secretariat: classification, public notices.
    path("nec/", include("incidents.views.nec_urls")),
    # What moves up next, escalation policies, drills, deliveries, the engine itself.
    path("escalation/", include("incidents.views.escalation_urls")),
    # Duty rosters, delegations, swaps and the calendar of one's duties.
    path("duty/", include("incidents.views.duty_urls")),
    # REST API with its schema and documentation.
    path("api/v1/", include("incidents.api.urls")),
    # Is it alive, is it ready, is the engine on time.
    path("", include("incidents.views.health_urls")),
]
if settings.SERVE_ADMIN:
    # Reference data only: no case is in it.
    urlpatterns.append(path("admin/", admin.site.urls))
