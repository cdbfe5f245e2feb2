# Two stages: what builds is not what runs.
FROM python:3.12-slim AS build
# What one machine can use; compose.cluster.yaml asks for what many need.
ARG EXTRAS=browse,metrics,pandas,parquet,s3
RUN python -m venv /opt/ingestor
# The dependencies first: their layer stays while only the source changes.
COPY pyproject.toml /source/pyproject.toml
RUN python -c "import os, tomllib; told = tomllib.load(open('/source/pyproject.toml', 'rb'))['project']; \
    print(*told['dependencies'], *(need for extra in os.environ['EXTRAS'].split(',') \
    for need in told['optional-dependencies'][extra]), sep=chr(10))" > /tmp/requirements.txt \
 && /opt/ingestor/bin/pip install --no-cache-dir -r /tmp/requirements.txt
COPY . /source
RUN /opt/ingestor/bin/pip install --no-cache-dir --no-deps /source \
 # The final image installs nothing.
 && /opt/ingestor/bin/pip uninstall --yes pip

FROM python:3.12-slim
# No build tools in the final image: its own pip goes as well.
RUN python -m pip uninstall --yes --root-user-action=ignore pip \
 # The same user in every image, so that the volume's owner does not change with an upgrade.
 && useradd --system --uid 10001 --create-home --home-dir /data ingestor
COPY --from=build /opt/ingestor /opt/ingestor
# Without .pyc files to write, everything but /data may be read-only (docker run --read-only).
ENV PATH=/opt/ingestor/bin:$PATH INGEST_CONFIG=/data/config.toml \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 INGEST_SERVICE__LISTEN=127.0.0.1:9464
USER ingestor
WORKDIR /data
# config.toml, the database, the files and the WARC live here.
VOLUME /data
# /healthz says 503 when the work that is due does not move. A first tick takes its time.
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:9464/healthz', timeout=8)"]
# SIGTERM is what `docker stop` sends; give it longer than service.stop_timeout: --stop-timeout 15
STOPSIGNAL SIGTERM
ENTRYPOINT ["ingest"]
