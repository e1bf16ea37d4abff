"""Addresses of the NEC secretariat: classification queue and public notices."""

from django.urls import path

from incidents.views import nec, nec_deadlines

app_name = "nec"
urlpatterns = [
    path("", nec.queue, name="queue"),
    path("decided/", nec.decided, name="decided"),
    path("deadlines/", nec_deadlines.deadlines, name="deadlines"),
    path("classify/", nec.classify_many, name="classify_many"),
    path("take-back/", nec.take_back, name="take_back"),
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
