# The verbs of this project. Each does its own set-up; none needs Docker, root or an AWS account.
# Ports: PORT_POSTGRES, PORT_REDIS, PORT_KAFKA, PORT_KAFKA_CONTROLLER, PORT_AWS, PORT_INBOX, PORT_DASHBOARD (0: any free one).
# Broker: KAFKA=apache|tansu|external (external takes KAFKA_BOOTSTRAP=host:port).
# Providers: SLACK_API_URL, BREVO_API_URL, WHATSAPP_API_URL point the senders elsewhere than at the simulators.
# A second stack beside the first: NOFY_LOCAL_DIR=some/folder and other ports.

PYTHON ?= python3
VENV_PYTHON := .venv/bin/python

# (where it is set, every run compiles the CDK's large modules again: 10 s instead of 3)
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo up down logs status test faults contrast measures bench check fmt synth lock

help: ## Show the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2} /^# [A-Z]/ {print "  " substr($$0, 3)}' $(firstword $(MAKEFILE_LIST))

setup: ## Build what everything else needs (quick when nothing changed)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@command -v npm >/dev/null || { echo "Node 20 or newer (with npm) is needed" >&2; exit 1; }
	@$(PYTHON) -m local.setup

demo: setup ## Bring the stack up, send through every channel, show what arrived
	@$(VENV_PYTHON) -m local.demo

up: setup ## Bring the stack up on this machine, or deploy again into the one that runs
	@$(VENV_PYTHON) -m local up

down: setup ## End the stack and delete everything it made
	@$(VENV_PYTHON) -m local down

status: setup ## Show every part, its address, its process and whether it answers
	@$(VENV_PYTHON) -m local status

logs: setup ## Show the end of every log, or one whole: make logs F=consumer
	@$(VENV_PYTHON) -m local logs $(F)

# (the fault harness's short form has a pytest of its own: it starts a fork server and kills servers, beside which no other
# test should have to live)
test: setup ## Run the tests: make test ARGS="tests/unit -k ports"
	@$(PYTHON) -m local.setup tests
	@$(VENV_PYTHON) -m pytest $(or $(ARGS),--ignore=tests/faults)
	@$(if $(ARGS),:,$(VENV_PYTHON) -m pytest tests/faults)

faults: setup ## Kill everything under load and count what is lost or doubled: make faults SEED=7 KILLS=200 N=10000
	@$(VENV_PYTHON) -m faults $(if $(SEED),--seed $(SEED)) $(if $(KILLS),--kills $(KILLS)) $(if $(N),--n $(N))

contrast: setup ## The same kills with Celery in Nofy's place: make contrast SEED=7 KILLS=200 N=10000
	@$(VENV_PYTHON) -m faults.contrast $(if $(SEED),--seed $(SEED)) $(if $(KILLS),--kills $(KILLS)) $(if $(N),--n $(N))

measures: setup ## Redis emptied with a million waiting, and a provider that is down for a minute: make measures ARGS=outage
	@$(VENV_PYTHON) -m faults.measures $(ARGS)

# (never beside something else: two cores are what it measures)
bench: setup ## Measure it beside Celery, dramatiq and procrastinate: make bench CASE="P1 P5" (an hour without CASE)
	@$(VENV_PYTHON) -m bench $(CASE)

check: setup synth ## Lint, types, the rules between modules, what is unsafe or known to be, and every stage's templates
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy layers/nofy/python/nofy infra local faults bench app.py
	.venv/bin/lint-imports
	.venv/bin/bandit -q -c pyproject.toml -r layers/nofy/python/nofy functions infra app.py --severity-level medium
	$(VENV_PYTHON) -m local.advisories
	@$(PYTHON) -m local.setup tests
	npm --prefix dashboard run --silent check
	.venv/bin/cfn-lint --ignore-checks W3005 -- cdk.out/*/*.template.json

fmt: setup ## Format, and fix what lint can fix
	@$(VENV_PYTHON) -m ruff format .
	@$(VENV_PYTHON) -m ruff check --fix .

# (cdk-nag fails it on a finding that nobody acknowledged. The CDK's own validation of the templates takes as long again
# and is left to cfn-lint in "make check", without W3005: the CDK states some dependencies twice.)
SYNTH := CDK_VALIDATION=false CDK_DISABLE_CLI_TELEMETRY=1 node_modules/.bin/cdk synth --quiet --no-notices \
	--app "$(VENV_PYTHON) app.py"
synth: setup ## Synthesise every stage into cdk.out/<stage>, or one: make synth STAGE=dev
	@mkdir -p cdk.out
	@for stage in $(or $(STAGE),local dev prod); do \
		printf '  %-6s' $$stage; began=$$(date +%s); \
		$(SYNTH) -c stage=$$stage -o cdk.out/$$stage >cdk.out/$$stage.log 2>&1 || { echo; grep -v "^b'!!" cdk.out/$$stage.log >&2; exit 1; }; \
		echo "cdk.out/$$stage ($$(( $$(date +%s) - began )) s)"; \
		sed -n 's/^INFO \(The layers carry .*\.\) (.*/         \1/p' cdk.out/$$stage.log; \
	done

# (in this order: what the development environment resolves to is what the layer and a deploy get)
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links
lock: setup ## Compile the .in files into pins with hashes: make lock UPGRADE=--upgrade
	@$(COMPILE) $(UPGRADE) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) $(UPGRADE) -c requirements-dev.txt requirements.in -o requirements.txt
	@$(COMPILE) $(UPGRADE) -c requirements-dev.txt layers/deps/requirements.in -o layers/deps/requirements.txt
	@$(COMPILE) $(UPGRADE) -c requirements-dev.txt local/compose/requirements.in -o local/compose/requirements.txt
	@$(COMPILE) $(UPGRADE) -c layers/deps/requirements.txt local/requirements-ministack.in -o local/requirements-ministack.txt
	@$(COMPILE) $(UPGRADE) -c requirements-dev.txt faults/requirements-celery.in -o faults/requirements-celery.txt
	@$(COMPILE) $(UPGRADE) -c requirements-dev.txt bench/requirements-bench.in -o bench/requirements-bench.txt
	@$(COMPILE) $(UPGRADE) -c requirements-dev.txt bench/peers/requirements-peers.in -o bench/peers/requirements-peers.txt
	@for name in setup tansu redis; do $(COMPILE) $(UPGRADE) local/requirements-$$name.in -o local/requirements-$$name.txt; done
	@npm install --package-lock-only --silent --omit-lockfile-registry-resolved
