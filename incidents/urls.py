"""Addresses of the cases: the list, one case with its acts and files, the inbox, and all there is on one page."""

from django.urls import path

from incidents.views import acts, case, files, inbox, more, queue, report, report_parts

app_name = "incidents"
urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/read", inbox.read_all, name="read_all"),
    path("inbox/<int:pk>/open", inbox.open_notice, name="open_notice"),
    path("more/", more.more, name="more"),
    path("more/election", more.election, name="election"),
    path("", queue.case_list, name="list"),
    path("news", queue.queue_news, name="news"),
    # Logging one; the parts of the page below it answer while it is filled in.
    path("new/", report.log, name="log"),
    path("new/receipt", report.receipt, name="receipt"),
    path("new/places", report_parts.place_list, name="report_places"),
    path("new/point", report_parts.point, name="report_point"),
    path("new/outlines/<str:code>", report_parts.outlines, name="report_outlines"),
    path("new/units", report_parts.units, name="report_units"),
    path("new/preview", report_parts.preview, name="report_preview"),
    path("<uuid:pk>/", case.detail, name="detail"),
    path("<uuid:pk>/acts/", acts.act, name="acts"),
    path("<uuid:pk>/files/<uuid:file>/", files.derived, name="file"),
    path("<uuid:pk>/files/<uuid:file>/original", files.original, name="original"),
]
