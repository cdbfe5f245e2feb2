"""The container files: what can be checked without an engine that builds them."""

import ast
import http.server
import subprocess
import sys
import threading

import pytest
import yaml

from ingestor.config import load
from tools import ROOT
from tools.dockerfile import stages, variables

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
BUILD, FINAL = stages(DOCKERFILE)


def test_what_runs_is_not_what_builds():
    """Two stages; the last takes the program only, installs nothing, and is not root.

    `make image` carries the steps out; here they are only read.
    """
    assert BUILD.base == FINAL.base == "python:3.12-slim"
    ran = " ".join(arguments for instruction, arguments in FINAL.steps if instruction == "RUN")
    assert "pip uninstall" in ran
    assert "pip install" not in ran
    assert "apt-get" not in ran
    assert [arguments for instruction, arguments in FINAL.steps if instruction == "COPY"] == [
        "--from=build /opt/ingestor /opt/ingestor"
    ]
    assert f" {FINAL.last('USER')}" in ran
    assert FINAL.last("VOLUME") == FINAL.last("WORKDIR") == "/data"
    assert FINAL.command("ENTRYPOINT") == ["ingest"]


def test_the_images_variables_are_a_configuration(tmp_path):
    """What ENV sets is accepted by the program that reads it."""
    (tmp_path / "config.toml").write_text("", encoding="utf-8")
    given = variables(FINAL.last("ENV"), {"PATH": "/bin"})
    assert given["PATH"] == "/opt/ingestor/bin:/bin"
    given |= COMPOSE["services"]["ingestor"]["environment"]
    settings = load(tmp_path / "config.toml", given)
    assert settings.service.listen == "127.0.0.1:9464"
    assert settings.fetch.allow_private_addresses


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
@pytest.mark.slow
def test_the_health_check_says_what_healthz_says(status, code):
    """The command of the image, run against an answer of each kind."""
    _, flag, program = FINAL.command("HEALTHCHECK")
    ast.parse(program)

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/healthz" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Keep quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        asked = program.replace(":9464", f":{server.server_port}")
        done = subprocess.run([sys.executable, flag, asked], capture_output=True, check=False)
        thread.join()
    assert done.returncode == code


def test_compose_runs_it_hardened_beside_rsshub():
    """Read-only but for the volume, with time to stop, after RSSHub is well."""
    ours = COMPOSE["services"]["ingestor"]
    assert ours["read_only"]
    assert ours["volumes"] == ["archive:/data"]
    assert ours["stop_grace_period"] == "15s"
    assert ours["depends_on"] == {"rsshub": {"condition": "service_healthy"}}
    assert "ports" not in COMPOSE["services"]["rsshub"]
