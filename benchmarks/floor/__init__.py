"""The floors: what Django itself costs for one INSERT and for one page of a signed-in person, and nothing more."""
