"""The container files: what can be checked without an engine that builds them."""

import ast
import http.server
import os
import re
import subprocess
import sys
import threading
import tomllib

import pytest
import yaml

from ingestor import cli
from ingestor.config import load
from tools import ROOT
from tools.dockerfile import stages, variables

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
CLUSTER = yaml.safe_load((ROOT / "deploy" / "compose.cluster.yaml").read_text("utf-8"))
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
    assert load(tmp_path / "config.toml", given).service.listen == "127.0.0.1:9464"
    given |= COMPOSE["services"]["ingestor"]["environment"]
    settings = load(tmp_path / "config.toml", given)
    assert settings.service.listen == "0.0.0.0:9464"
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
    assert ours["volumes"] == ["archive:/data", "./config.toml:/data/config.toml:ro"]
    assert ours["stop_grace_period"] == "15s"
    assert ours["depends_on"] == {"rsshub": {"condition": "service_healthy"}}
    assert "ports" not in COMPOSE["services"]["rsshub"]


def test_what_the_containers_open_is_open_to_this_machine_alone():
    """Health, metrics and the archive's pages have no password."""
    every = [*COMPOSE["services"].values(), *CLUSTER["services"].values()]
    ports = [port for service in every for port in service.get("ports", ())]
    assert sorted(ports) == ["127.0.0.1:8001:8001", "127.0.0.1:9464:9464"]


def test_the_archive_is_browsed_as_hardened_as_it_is_made():
    """The same image, read-only; its command is one of ours."""
    daemon, browse = (COMPOSE["services"][name] for name in ("ingestor", "browse"))
    assert browse["command"][0] in cli.VERBS
    for key in ("image", "read_only", "cap_drop", "security_opt", "volumes"):
        assert browse[key] == daemon[key]


EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "optional-dependencies"
]


def test_an_image_has_the_extras_that_its_services_need():
    """Of one machine all but the cluster's; for workers those."""
    (told,) = [arguments for instruction, arguments in BUILD.steps if instruction == "ARG"]
    alone = set(told.removeprefix("EXTRAS=").split(","))
    workers = set(CLUSTER["services"]["worker"]["build"]["args"]["EXTRAS"].split(","))
    assert alone | workers <= set(EXTRAS)
    assert {"browse", "metrics", "parquet", "s3"} <= alone
    assert {"cluster", "s3"} <= workers


@pytest.mark.slow
def test_the_dependencies_are_a_layer_of_their_own():
    """Installed before the source is there; the list is what pyproject.toml says."""
    steps = [f"{instruction} {arguments}" for instruction, arguments in BUILD.steps]
    (listed,) = [step for step in steps if "requirements.txt" in step]
    assert steps.index(listed) < steps.index("COPY . /source")
    script = re.search(r'python -c "(.*?)" >', listed)[1].replace("/source", str(ROOT))
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"EXTRAS": "metrics,s3"},
        capture_output=True,
        text=True,
        check=True,
    )
    needs = done.stdout.splitlines()
    assert [need for need in needs if need.startswith("prometheus-client")] == EXTRAS["metrics"]
    assert needs[-1:] == EXTRAS["s3"]
    assert any(need.startswith("sqlalchemy") for need in needs)
