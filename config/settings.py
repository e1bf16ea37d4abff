"""Every setting, read once from the environment, top to bottom.

Where, apps, data, queue, security, web, API, maps, mail, engine, logging. Two ways to run, one code: without
DATABASE_URL and REDIS_URL the embedded set-up (SQLite and a folder as broker under var/), with them the production
one. Nothing secret has a working default: `make run` writes its own keys to var/local.env.
"""

from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

# ---- Where ----
BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
for env_file in (BASE_DIR / ".env", VAR_DIR / "local.env"):
    if env_file.is_file():
        env.read_env(str(env_file))

DEBUG = env.bool("DEBUG", default=False)
#: Demonstration data: shows the dashed tag on every page and lets the demo accounts sign in.
DEMO = env.bool("DEMO", default=False)
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
#: Fernet keys (urlsafe base64, 32 bytes) for protected identities, newest first; kept outside the database.
IDENTITY_KEYS: list[str] = env.list("IDENTITY_KEYS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

# ---- Apps ----
INSTALLED_APPS = [
    "config.apps.ReferenceAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "leaflet",
    "elections",
    "commands",
    "incidents",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.caching.private_unless_said",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "incidents.context.shell",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "incidents.templatetags.parts"],
        },
    }
]

# ---- Data ----
SQLITE_OPTIONS: dict[str, Any] = {
    # IMMEDIATE: a deferred transaction that upgrades its lock does not wait for `timeout`
    # (docs/decisions/0002-sqlite.md).
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
}
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")
}
# Seconds a thread keeps its connection. SQLite too: the last one to close writes the whole log back, 20 ms a request.
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"].setdefault("OPTIONS", {}).update(SQLITE_OPTIONS)
else:
    # To compile a query takes longer (100 ms and more) than any of ours runs, and so does to try every order of the
    # eight tables of a list (20 ms to plan, 1 ms to run): docs/decisions/0009-speed.md.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c jit=off -c join_collapse_limit=4")
# Columns that cover an index are for PostgreSQL's speed; SQLite leaves them out and answers the same.
SILENCED_SYSTEM_CHECKS = ["models.W040"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "commands.User"
#: Country data folder: gazetteer, boundaries, calendar. Another country is another folder, no code.
COUNTRY_DATA = Path(env.str("COUNTRY_DATA", default=str(BASE_DIR / "elections" / "data" / "kh")))

REDIS_URL = env.str("REDIS_URL", default="")
CACHES = {
    "default": {
        "BACKEND": "config.shared_cache.SharedCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# ---- Queue ----
#: `folder` is config/broker.py: the folder of files of kombu, made safe for several writers and readers.
CELERY_BROKER_URL = REDIS_URL or "folder://"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "delivery"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SOFT_TIME_LIMIT = 120
CELERY_TASK_TIME_LIMIT = 180
if REDIS_URL:
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "health_check_interval": 30,
        "max_retries": 1,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(VAR_DIR / "celery" / "queue"),
        "data_folder_out": str(VAR_DIR / "celery" / "queue"),
        "control_folder": str(VAR_DIR / "celery" / "control"),
        "polling_interval": 0.2,
    }

# ---- Security ----
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account:sign_in"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "account:sign_in"
AXES_FAILURE_LIMIT = env.int("SIGN_IN_TRIES", default=5)
AXES_COOLOFF_TIME = env.float("SIGN_IN_PAUSE_HOURS", default=0.25)
# Both together: nobody's wrong tries elsewhere, and no colleague behind the same office address, pause a person.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
#: Wrong tries in an hour for one name from anywhere, and for all names from one address (an office shares one).
SIGN_IN_NAME_TRIES = env.int("SIGN_IN_NAME_TRIES", default=20)
SIGN_IN_ADDRESS_TRIES = env.int("SIGN_IN_ADDRESS_TRIES", default=50)
AXES_HANDLER = "commands.sign_in_limits.Handler"
AXES_CLIENT_IP_CALLABLE = "commands.sign_in_limits.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "commands.views.sign_in_paused"
AXES_ENABLE_ACCESS_FAILURE_LOG = True
# Tries are the operator's to look at and to forgive (docs/threat-model.md): there they could be deleted unjournaled.
AXES_ENABLE_ADMIN = False
HTTPS = env.bool("HTTPS", default=not (DEBUG or DEMO))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=12) * 3600
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db" if REDIS_URL else "django.contrib.sessions.backends.db"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^health/engine$", r"^metrics$"]
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
#: Attachments: at most this many files a case act and this many bytes each.
ATTACHMENT_MAX_FILES = 10
ATTACHMENT_MAX_BYTES = 20 * 1024 * 1024

# ---- Web ----
#: For who has not chosen: Khmer. The tests read English.
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="km")
LANGUAGES = [("km", "ខ្មែរ"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Phnom_Penh")
USE_TZ = True
USE_I18N = True
USE_THOUSAND_SEPARATOR = False
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
#: Hashed names need `collectstatic` first; the development server and the tests read the sources.
HASHED_STATIC = env.bool("HASHED_STATIC", default=not DEBUG)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if HASHED_STATIC
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Hashed names are kept for ever by themselves; scripts import one another by plain names, which must renew.
WHITENOISE_MAX_AGE = 60 if HASHED_STATIC else 0
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not HASHED_STATIC
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
SERVE_ADMIN = env.bool("SERVE_ADMIN", default=True)

# ---- API ----
REST_FRAMEWORK: dict[str, Any] = {
    # Bearer first: its challenge makes the answer to a stranger 401, not 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "incidents.api.authentication.BearerTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["incidents.api.formats.LimitedJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "incidents.api.formats.Negotiation",
    "DEFAULT_PAGINATION_CLASS": "incidents.api.pagination.Keyset",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["incidents.api.throttling.ClientThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": env.str("API_RATE", default="1200/min")},
    "EXCEPTION_HANDLER": "incidents.api.problems.problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Election security incidents",
    "DESCRIPTION": "Report cases, act on them, read what you may see. How to begin: docs/api.md.",
    "VERSION": "1",
    "TAGS": [
        {"name": "incidents", "description": "Report, read, act."},
        {"name": "numbers", "description": "Map, measures, weekly summary."},
        {"name": "reference", "description": "Places, elections, commands, categories."},
    ],
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "defaultModelsExpandDepth": 0, "docExpansion": "list"},
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "incidents.api.schema.without_column_bounds",
    ],
    # One name for each vocabulary, not one for each field that uses it.
    "ENUM_NAME_OVERRIDES": {
        "State": "incidents.choices.State",
        "Severity": "incidents.choices.Severity",
        "Verification": "incidents.choices.Verification",
        "Classification": "incidents.choices.Classification",
        "Act": "incidents.choices.Act",
        "Channel": "incidents.choices.Channel",
        "ClockKind": "incidents.choices.ClockKind",
        "Outcome": "incidents.choices.Outcome",
        "ReferralOutcome": "incidents.choices.ReferralOutcome",
        "PointPrecision": "incidents.choices.PointPrecision",
        "TimePrecision": "incidents.choices.TimePrecision",
        "Phase": "elections.choices.Phase",
        "Level": "elections.choices.Level",
    },
}

# ---- Maps ----
#: A tile server is optional: boundaries are drawn from our own data. Example: https://tiles.example.gov.kh/{z}/{x}/{y}.png
MAP_TILE_URL = env.str("MAP_TILE_URL", default="")
MAP_TILE_ATTRIBUTION = env.str("MAP_TILE_ATTRIBUTION", default="")
LEAFLET_CONFIG = {"TILES": [], "NO_GLOBALS": True, "RESET_VIEW": False, "ATTRIBUTION_PREFIX": ""}

# ---- Mail and other channels ----
try:
    EMAIL_CONFIG = env.email_url_config(env.str("EMAIL_URL", default="") or "dummymail://")
except ImproperlyConfigured:
    raise ImproperlyConfigured(
        "EMAIL_URL is not the address of a mail server. Write it as smtp+tls://name:password@mail.example.org:587, "
        "or leave it empty: people are then told in the inbox only."
    ) from None
vars().update(EMAIL_CONFIG)
EMAIL_CONFIGURED = bool(env.str("EMAIL_URL", default=""))
#: Seconds for each answer of the mail server.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=15)
#: One address in Apprise's notation each, with {to} where the number or name goes and, where the gateway knows
#: repeats by it, {id}: json://gateway.example.org/send?:to={to}&:id={id}. Empty: the channel is not configured.
SMS_URL = env.str("SMS_URL", default="")
CHAT_URL = env.str("CHAT_URL", default="")
#: Seconds for each answer of a gateway or of a webhook's system.
GATEWAY_TIMEOUT = env.int("GATEWAY_TIMEOUT", default=10)
#: What the SMS gateway shows (Bearer) when it hands on an answer; empty: answers by SMS are not taken.
SMS_INBOUND_SECRET = env.str("SMS_INBOUND_SECRET", default="")
#: Webhooks without TLS, and to addresses inside this network: both are for trying things out.
WEBHOOK_HTTP = env.bool("WEBHOOK_HTTP", default=DEBUG or DEMO)
WEBHOOK_PRIVATE = env.bool("WEBHOOK_PRIVATE", default=False)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("FROM_EMAIL", default="incidents@localhost")
#: Where links in messages lead, without a trailing slash.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")

# ---- Public notices ----
#: CAP messages say "Exercise" unless this deployment is the one that warns the public for real.
CAP_ACTUAL = env.bool("CAP_ACTUAL", default=False)
#: Globally unique name of the sender in CAP messages: no spaces, commas, < or &.
CAP_SENDER = env.str("CAP_SENDER", default="election-security@localhost")

# ---- Engine ----
#: The engine counts as late when no tick succeeded for this long, or a due clock waited this long.
ENGINE_STALE_SECONDS = env.int("ENGINE_STALE_SECONDS", default=90)
ENGINE_OVERDUE_SECONDS = env.int("ENGINE_OVERDUE_SECONDS", default=120)
#: Cases that a leap of the clock may move; more wait until a person has looked at it.
ENGINE_HOLD_CASES = env.int("ENGINE_HOLD_CASES", default=50)
#: Asked for by GET after each round that succeeded, for a listener outside that alarms when it hears nothing.
HEARTBEAT_URL = env.str("HEARTBEAT_URL", default="")

#: Bearer token of whoever collects /metrics; empty means only this machine may.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# ---- Logging ----
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        # Below this it writes what it sends, and to whom.
        "apprise": {"level": "WARNING"},
    },
}
