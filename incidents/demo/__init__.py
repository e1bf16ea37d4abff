"""Made data for demonstrations and load tests: people without names, plausible cases, the ten scenarios.

Ordinary crime, public order and hazards happen in real provinces; misconduct, intimidation and conflicts of interest
only in the fictional Demo Province (code 99). Cases are made through `actions`, except by `load`, which makes millions.
"""
