# One image; what it does is the command it is started with (docker-compose.yml).
FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt /
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /srv/app --shell /usr/sbin/nologin app \
 && install -d -o app /srv/app /var/lib/incidents
COPY --from=packages /venv /venv
COPY . /srv/app
WORKDIR /srv/app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings VAR_DIR=/var/lib/incidents
# collectstatic reads the settings, which want a key; this one is not kept and opens nothing.
RUN python -m config.texts compile && SECRET_KEY=while-building python manage.py collectstatic --noinput -v0
USER app
VOLUME /var/lib/incidents
EXPOSE 8000
CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "3", "--worker-class", "gthread", "--threads", "8", "--no-control-socket", "--timeout", "60", "--max-requests", "5000", "--max-requests-jitter", "500"]
