# Two stages: what builds is not what runs.
FROM python:3.12-slim AS build
COPY . /source
RUN python -m venv /opt/ingestor \
 && /opt/ingestor/bin/pip install --no-cache-dir /source

FROM python:3.12-slim
# The same user in every image, so that the volume's owner does not change with an upgrade.
RUN useradd --system --uid 10001 --create-home --home-dir /data ingestor
COPY --from=build /opt/ingestor /opt/ingestor
ENV PATH=/opt/ingestor/bin:$PATH INGEST_CONFIG=/data/config.toml PYTHONUNBUFFERED=1
USER ingestor
WORKDIR /data
# config.toml, the database, the files and the WARC live here.
VOLUME /data
ENTRYPOINT ["ingest"]
