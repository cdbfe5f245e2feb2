# The one entry point for people and for CI: `make help` says what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

MAKEFLAGS += --no-print-directory
# Where python3-venv is lacking, `venv` fails and leaves a python without pip behind.
.DELETE_ON_ERROR:
# Some containers set it: each of the hundreds of processes of the tests would compile all anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*  \#\# .*/\1/p' $(MAKEFILE_LIST))

help:  ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# uv where it is installed, which is much quicker; pip otherwise.
UV := $(shell command -v uv)
PACKAGES := $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)
NO_PACKAGES := { echo "The packages did not come: a network is needed for this step, once."; exit 1; }

install: $(VENV)/installed  ## Make .venv and install everything into it, for tests too (about 1 GB)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14) and "Python 3.11 to 3.14 is needed: make PYTHON=python3.12 …")'
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(if $(UV),$(UV) venv --quiet --seed --allow-existing --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))

$(VENV)/runs: pyproject.toml | $(BIN)/python
	@echo "Installing what running needs, about 160 MB, with $(if $(UV),uv,pip)"
	@$(PACKAGES) --editable '.[demo]' || $(NO_PACKAGES)
	@touch $@

$(VENV)/installed: pyproject.toml | $(BIN)/python
	@echo "Installing everything, about 1 GB, with $(if $(UV),uv,pip)"
	@$(PACKAGES) --editable '.[dev]' || $(NO_PACKAGES)
	@touch $@ $(VENV)/runs

config.toml:
	@echo "Writing config.toml from config.example.toml"
	@cp config.example.toml $@

run: $(VENV)/runs config.toml  ## Ingest once, with config.toml (made from the example)
	@echo "ingest --once, with config.toml; Ctrl-C stops it, and the next run goes on"
	@$(BIN)/ingest --once || { code=$$?; echo "Without a network, try: make demo"; exit $$code; }

demo: $(VENV)/runs  ## Ingest a made-up Sina on loopback; keeps demo-archive/ and says what to try on it
	@rm -rf demo-archive
	@$(BIN)/python -m tools.demo --folder demo-archive

DESTDIR ?=
SERVICE := $(DESTDIR)/opt/ingestor

install-service:  ## As root: the program, its user, /etc/ingestor/config.toml and the units (DESTDIR is heeded)
	@test -n "$(DESTDIR)" || test "$$(id -u)" = 0 || { echo "This is for root: sudo make install-service"; exit 1; }
	@echo "1. The program into /opt/ingestor, an environment of its own"
	@test -x $(SERVICE)/bin/python || $(if $(UV),$(UV) venv --quiet --seed --allow-existing --python $(PYTHON) $(SERVICE),$(PYTHON) -m venv $(SERVICE)) || { rm -f $(SERVICE)/bin/python; exit 1; }
	@$(if $(UV),$(UV) pip install --quiet --python $(SERVICE)/bin/python,$(SERVICE)/bin/python -m pip install --quiet --disable-pip-version-check) --upgrade '.[browse,metrics]' || $(NO_PACKAGES)
	@# Its scripts name the Python that they will find there.
	@test -z "$(DESTDIR)" || grep -rlI '^#!$(DESTDIR)' $(SERVICE)/bin | xargs -r sed -i '1s|^#!$(DESTDIR)|#!|'
	@DESTDIR=$(DESTDIR) sh deploy/install-files.sh

JOBS ?= 2

test: install  ## All tests, in JOBS processes
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-quick: install  ## In under a minute: the tests that start no process, no PostgreSQL, no server
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m quick

test-python:  ## test-quick with another Python, PYTHON=python3.14, in an environment of its own
	$(MAKE) test-quick VENV=$(VENV)-$(notdir $(PYTHON))

python-install:  ## Unpack Debian's Python 3.14 into .python, for test-python
	test -e .python/complete || (rm -rf .python && sh tools/debian_python.sh 3.14 forky .python && touch .python/complete)

SOAK = INGEST_SOAK=1 $(BIN)/python -m pytest --timeout 0 -p no:cacheprovider

soak: install  ## Kills, full disks, bytes that flip, clocks that jump, a feed that starves others: 40 minutes
	$(MAKE) --jobs 2 --output-sync soak-kills soak-points soak-model soak-rot-database soak-rot-warc soak-clocks soak-disk
	$(MAKE) soak-starvation

soak-kills: install  ## 600 kills at random moments, and 150 on PostgreSQL
	$(SOAK) tests/faults/test_kills.py -k random

soak-points: install  ## Kills at every point that changes the disk, and at every other one of PostgreSQL
	$(SOAK) tests/faults/test_kills.py -k 'not random'

soak-model: install  ## 100 stories of feeds, edits, failures and kills against the model
	$(SOAK) tests/faults/test_model.py

soak-rot-database: install  ## 200 flipped bytes of the database
	$(SOAK) tests/faults/test_rot.py -k 'not warc'

soak-rot-warc: install  ## 200 flipped bytes of the WARC
	$(SOAK) tests/faults/test_rot.py -k warc

soak-clocks: install  ## 40 jumps of the clock by up to ten years (Debian's libfaketime)
	$(SOAK) tests/faults/test_clocks.py

soak-disk: install  ## Full disks, and a foreign writer for half a minute
	$(SOAK) tests/faults/test_full_disk.py

soak-daemon: install  ## The daemon takes in 100,000 articles and must not grow
	$(BIN)/python -m tools.soak 100000

soak-starvation: install  ## A good feed is on time beside pages that cost ten seconds each
	$(BIN)/python -m tools.starvation 100

soak-cluster: install  ## Four workers killed every few seconds until 5,000 articles are in
	$(BIN)/python -m tools.cluster_soak 5000

image: install  ## The Dockerfile's steps in a Debian root folder: root, debootstrap and the network
	INGEST_IMAGE=1 $(BIN)/python -m pytest --timeout 0 tests/project/test_image.py

FUZZ_SECONDS ?= 120
FUZZ_EXAMPLES ?= 5000

fuzz: install  ## Random input: many examples, then fuzz-guided
	INGEST_FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(BIN)/python -m pytest --timeout 0 tests/fuzz tests/hostile/test_patterns.py
	$(MAKE) fuzz-guided

fuzz-guided: install  ## Random input that is guided by coverage, for FUZZ_SECONDS a target
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary atheris --editable '.[fuzz]'
	for target in decode feed sina page front-matter robots query post; do \
	  $(BIN)/python -m tests.fuzz.guided $$target $(FUZZ_SECONDS) || exit 1; done

replay-install:
	test -x .venv-pywb/bin/wayback || ($(PYTHON) -m venv .venv-pywb && .venv-pywb/bin/pip install --quiet --disable-pip-version-check 'pywb>=2.10,<3')

replay: install replay-install  ## Let pywb replay what was kept (in an environment of its own)
	INGEST_PYWB=.venv-pywb/bin $(BIN)/python -m pytest tests/neighbours/test_replay.py

hexo-install:
	mkdir -p .hexo && cp tests/neighbours/hexo/package.json .hexo/
	cd .hexo && npm install --loglevel=error --no-package-lock --no-audit --no-fund --ignore-scripts

hexo: install hexo-install  ## Let Hexo make a site of the archive folder (needs node and npm)
	INGEST_HEXO=.hexo $(BIN)/python -m pytest tests/neighbours/test_hexo.py

rsshub-install:
	mkdir -p .rsshub && cp tests/neighbours/rsshub/package.json .rsshub/
	cd .rsshub && npm install --loglevel=error --no-package-lock --no-audit --no-fund --ignore-scripts

rsshub: install rsshub-install  ## Let a real RSSHub read the made-up Sina, and ingest its feeds (npm, 433 MB)
	INGEST_RSSHUB=.rsshub $(BIN)/python -m pytest tests/neighbours/test_rsshub.py

promtool-install:
	test -x .prometheus/usr/bin/promtool || (mkdir -p .prometheus && cd .prometheus && apt-get -qq download prometheus && dpkg -x prometheus_*.deb .)

promtool: install promtool-install  ## Let Prometheus's promtool check the metrics and the alerts (Debian's package)
	INGEST_PROMTOOL=.prometheus/usr/bin/promtool $(BIN)/python -m pytest tests/neighbours/test_prometheus.py

browser-install: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[browser]'

browser: browser-install  ## Browse a made-up archive in headless Chromium (Debian's)
	INGEST_CHROMIUM=$$(command -v chromium || echo chromium-is-not-installed) $(BIN)/python -m pytest tests/browse/test_browser.py

screenshots: browser-install  ## Take pictures of every kind of page: build/screenshots, and those of the READMEs
	$(BIN)/python -m tools.screenshots

quality: install bench-contenders  ## How right it reads, beside others; QUALITY=--write keeps the tables: docs/quality.md
	$(BIN)/python -m tools.quality $(QUALITY)

bench: install bench-contenders  ## How fast it is beside others, and what it holds: docs/performance.md; BENCH='--only articles,polls' for a part
	$(BIN)/python -m benchmarks.report $(BENCH)

bench-long: install bench-contenders  ## What takes an hour: ten minutes of the daemon, 10,000 feeds, a backfill of 100,000: build/bench
	$(BIN)/python -m benchmarks.report --daemon-seconds 600 --backfill 100000 --only daemon,backfill,many,due

profile: install  ## Where the time of a pass goes: docs/profile.txt
	$(BIN)/python -m benchmarks.profiling

bench-cluster: install  ## One, two and four workers on PostgreSQL, and what a job costs
	$(BIN)/python -m benchmarks.cluster

bench-quick: install  ## The ratios of a small run, as one JSON line
	@$(BIN)/python -m benchmarks.quick

SIZES ?= 0,100000,1000000
KEEP ?=
QUALITY ?=
BENCH ?=

bench-growth: install  ## Archives of SIZES articles; KEEP=DIR keeps them for the next time
	$(BIN)/python -m benchmarks.growth --sizes $(SIZES) --write benchmarks/growth.md $(if $(KEEP),--keep $(KEEP))

CONTENDERS := httpx==0.28.* 'lxml>=6,<7' 'requests>=2.32,<3' 'beautifulsoup4>=4.13,<5' \
  'readability-lxml>=0.9,<0.10' 'trafilatura>=2,<3' 'gne>=0.4,<0.5' 'reader[cli]>=3,<4' sgmllib3k 'sqlite-utils>=3,<5'

bench-contenders: .venv-bench/installed  ## Install what the benchmark compares with, into .venv-bench

.venv-bench/installed: Makefile
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	# An older pip fails on lxml[html-clean], which two of them ask for.
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check $(CONTENDERS)
	touch $@

check: install  ## Lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/project/test_layers.py

format: install  ## Let ruff format and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-browse: install  ## How fast and how heavy the pages of `ingest browse` are, at a million articles
	$(BIN)/python -m benchmarks.browse

messages: install  ## Bring the pages' Chinese (ingestor/browse/messages) up to what they say; fails where it lacks
	$(BIN)/python -m tools.messages

docs: install  ## Write the reference in docs/ from the commands, the example, the tables and the metrics
	$(BIN)/python -m tools.reference

session: install  ## Draw the terminal that the READMEs show, from what the commands say: docs/session.svg
	$(BIN)/python -m tools.session

docs-site:  ## The documentation as a website, in build/docs-site
	test -x .venv-docs/bin/mkdocs || ($(PYTHON) -m venv .venv-docs && .venv-docs/bin/pip install --quiet --disable-pip-version-check 'mkdocs-material>=9.7,<10' jieba)
	rm -rf build/docs-source && mkdir -p build/docs-source
	cp -r README.md README.zh-CN.md CHANGELOG.md CONTRIBUTING.md LICENSE Dockerfile config.example.toml deploy docs build/docs-source/
	.venv-docs/bin/mkdocs build --quiet --config-file docs/mkdocs.yml
	@echo "open build/docs-site/index.html"

release: install  ## Build sdist and wheel into dist/, check them, and run the demo with the wheel alone
	rm -rf dist build/release
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[release]'
	$(BIN)/python -m build --quiet --outdir dist
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/python -m tools.release dist/*.whl build/release
	$(BIN)/cyclonedx-py environment --output-file dist/sbom.json build/release/bin/python

clean:  ## Remove what make made (not your archive)
	rm -rf $(VENV) demo-archive $(VENV)-python* .python .venv-pywb .venv-bench .venv-docs .hexo .prometheus .rsshub .mypy_cache .ruff_cache .pytest_cache build dist
