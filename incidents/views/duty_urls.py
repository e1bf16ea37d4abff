"""Duty rosters, delegations, swaps and the calendar of one's duties."""

from django.urls import path

from incidents.views import duty, duty_acts, duty_mine

app_name = "duty"
urlpatterns = [
    path("", duty.overview, name="overview"),
    path("mine/", duty_mine.mine, name="mine"),
    path("mine/feed", duty_mine.feed_new, name="feed_new"),
    path("mine/feed/revoke", duty_mine.feed_revoke, name="feed_revoke"),
    path("calendar/<str:token>.ics", duty_mine.calendar, name="calendar"),
    path("swaps/<int:pk>/", duty_mine.swap_answer, name="swap_answer"),
    path("delegations/", duty.delegations, name="delegations"),
    path("delegations/<int:pk>/end", duty_acts.delegation_end, name="delegation_end"),
    path("at/<slug:command>/", duty.roster, name="roster"),
    path("at/<slug:command>/use", duty_acts.use, name="use"),
    path("at/<slug:command>/shifts/new", duty_acts.shift_new, name="shift_new"),
    path("at/<slug:command>/shifts/<int:pk>/", duty_acts.shift, name="shift"),
    path("at/<slug:command>/covers/new", duty_acts.cover_new, name="cover_new"),
    path("at/<slug:command>/covers/<int:pk>/end", duty_acts.cover_end, name="cover_end"),
    path("at/<slug:command>/swaps/new", duty_mine.swap_new, name="swap_new"),
    path("at/<slug:command>/delegate", duty_acts.delegate, name="delegate"),
]
