"""Addresses of escalation as a whole: what moves next, policies, drills, deliveries, the engine."""

from django.urls import include, path

from incidents.views import answers, board, deliveries, engine, hooks

app_name = "escalation"
urlpatterns = [
    # What moves up next, and what else waits at the ladder.
    path("", board.board, name="board"),
    # Is the engine well, and a round of it by hand.
    path("engine/tick", engine.tick, name="tick"),
    # Messages that left, or could not; and answers to them: by link, by code over radio, by SMS.
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/again", deliveries.again, name="deliveries_again"),
    path("deliveries/<str:channel>/probe", deliveries.probe, name="deliveries_probe"),
    path("deliveries/webhooks/", hooks.webhooks, name="webhooks"),
    path("deliveries/webhooks/<int:pk>", hooks.switch, name="webhook_switch"),
    path("answer/<str:token>", answers.link, name="answer"),
    path("codes/", answers.code, name="codes"),
    path("sms/inbound", answers.inbound_sms, name="inbound_sms"),
    # Rehearsals of the ladder.
    path("drills/", include("incidents.views.drill_urls")),
]
