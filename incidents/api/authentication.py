"""Bearer tokens, one for each client of a person."""

from rest_framework.authentication import BaseAuthentication


class BearerTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer esi_…`."""
