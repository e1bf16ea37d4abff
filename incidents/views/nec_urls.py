"""Addresses of the NEC secretariat: classification queue and public notices."""

from importlib.util import find_spec

from django.urls import path
from django.urls.resolvers import URLPattern, URLResolver

app_name = "nec"
urlpatterns: list[URLPattern | URLResolver] = []
# These pages need the write path; without it the rest of the product still opens.
if find_spec("incidents.actions"):
    from incidents.views import nec

    urlpatterns += [
        path("", nec.queue, name="queue"),
        path("decided/", nec.decided, name="decided"),
        path("cases/<uuid:pk>/classify/", nec.classify, name="classify"),
        path("cases/<uuid:pk>/notice/", nec.draft, name="draft"),
        path("notices/", nec.notice_list, name="notices"),
        # The messages themselves are for the public, and so need no signing in.
        path("notices/<uuid:pk>.cap.xml", nec.cap_message, name="cap"),
        path("notices/<uuid:pk>.alert.cap.xml", nec.cap_message, {"first": True}, name="cap_alert"),
        path("notices/<uuid:pk>/", nec.notice, name="notice"),
        path("notices/<uuid:pk>/revise/", nec.revise, name="revise"),
        path("notices/<uuid:pk>/issue/", nec.issue, name="issue"),
        path("notices/<uuid:pk>/cancel/", nec.cancel, name="cancel"),
    ]
