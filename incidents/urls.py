"""Addresses of the cases: the list, one case with its acts and files, the inbox, and all there is on one page."""

from importlib.util import find_spec

from django.urls import path

from incidents.views import inbox, more

app_name = "incidents"
urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/read", inbox.read_all, name="read_all"),
    path("inbox/<int:pk>/open", inbox.open_notice, name="open_notice"),
    path("more/", more.more, name="more"),
    path("more/election", more.election, name="election"),
]
# Pages of cases need the write path; without it the rest of the product still opens.
if find_spec("incidents.actions"):
    from incidents.views import acts, case, files, queue

    urlpatterns += [
        path("", queue.case_list, name="list"),
        path("news", queue.queue_news, name="news"),
        path("<uuid:pk>/", case.detail, name="detail"),
        path("<uuid:pk>/acts/", acts.act, name="acts"),
        path("<uuid:pk>/files/<uuid:file>/", files.derived, name="file"),
        path("<uuid:pk>/files/<uuid:file>/original", files.original, name="original"),
    ]
