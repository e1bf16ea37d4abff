"""Addresses of drills, under /escalation/drills/."""

from django.urls import path

from incidents.views import drills

urlpatterns = [
    path("", drills.drill_list, name="drills"),
    path("new/", drills.new, name="drill_new"),
    path("<int:pk>/", drills.drill, name="drill"),
    path("<int:pk>/live", drills.live, name="drill_live"),
    path("<int:pk>/cancel", drills.cancel, name="drill_cancel"),
    path("<int:pk>/drill.csv", drills.export, name="drill_csv"),
    path("calls/<int:pk>/answer", drills.answer, name="drill_answer"),
    path("calls/<int:pk>/heard", drills.heard, name="drill_heard"),
    # From a message, without signing in.
    path("link/<str:token>/", drills.link, name="drill_link"),
]
