"""Addresses of escalation as a whole: what moves next, policies, drills, deliveries, the engine."""

from django.urls import include, path

from incidents.views import answers, board, deliveries, engine, hooks

app_name = "escalation"
urlpatterns = [
    # What moves up next, and what else waits at the ladder.
    path("", board.board, name="board"),
    # Is the engine well, a round of it by hand, what it holds back, what it set aside.
    path("engine/", engine.engine, name="engine"),
    path("engine/bar", engine.bar, name="bar"),
    path("engine/tick", engine.tick, name="tick"),
    path("engine/held", engine.held, name="held"),
    path("engine/aside/<int:pk>", engine.try_again, name="try_again"),
    # Messages that left, or could not; and answers to them: by link, by code over radio, by SMS.
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/again", deliveries.again, name="deliveries_again"),
    path("deliveries/<str:channel>/probe", deliveries.probe, name="deliveries_probe"),
    path("deliveries/webhooks/", hooks.webhooks, name="webhooks"),
    path("deliveries/webhooks/<int:pk>", hooks.switch, name="webhook_switch"),
    path("answer/<str:token>", answers.link, name="answer"),
    path("codes/", answers.code, name="codes"),
    path("sms/inbound", answers.inbound_sms, name="inbound_sms"),
    # How fast and what then: versions, their drafts, moving open cases, trying a version.
    path("policies/", include("incidents.views.policy_urls")),
    # Rehearsals of the ladder.
    path("drills/", include("incidents.views.drill_urls")),
]
