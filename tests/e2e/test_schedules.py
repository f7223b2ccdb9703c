"""The examples for schedulers: each by what reads it, and every command line by our own parser."""

import ast
import configparser
import os
import re
import shlex
import shutil
import subprocess
from datetime import date

import pytest
import yaml
from installing import environment, installs
from running import ROOT

from pipelines.cli import build_parser, main
from pipelines.job_specs import read_spec
from pipelines.outcome import ExitCode

FOLDER = ROOT / "docs" / "schedules"
MANIFESTS = ("job.yaml", "cronjob.yaml", "argo.yaml")
NEVER_BETTER = [ExitCode.BAD_USAGE, ExitCode.TOO_MANY_FAILED]
CRON = r"(\*|\d+|\*/\d+)( (\*|\d+|\*/\d+)){4}"
UNITS = {
    "Unit": {
        "Description",
        "Documentation",
        "RequiresMountsFor",
        "StartLimitIntervalSec",
        "StartLimitBurst",
    },
    "Service": {
        "Type",
        "User",
        "ExecStart",
        "Restart",
        "RestartPreventExitStatus",
        "RestartSec",
        "KillMode",
        "TimeoutStopSec",
        "Nice",
        "ProtectSystem",
        "ReadWritePaths",
        "CacheDirectory",
        "Environment",
        "PrivateTmp",
        "NoNewPrivileges",
    },
    "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent"},
    "Install": {"WantedBy"},
}


def text(name):
    return (FOLDER / name).read_text(encoding="utf-8")


def unit(name):
    parser = configparser.ConfigParser(strict=True, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read_string(text(name))
    return {section: dict(parser[section]) for section in parser.sections()}


def documents(name):
    return list(yaml.safe_load_all(text(name)))


def pod_specs(name):
    """(pod, its job) of every workload in a manifest."""
    for item in documents(name):
        if item["kind"] == "Job":
            yield item["spec"]["template"]["spec"], item["spec"]
        elif item["kind"] == "CronJob":
            job = item["spec"]["jobTemplate"]["spec"]
            yield job["template"]["spec"], job
        elif item["kind"] == "CronWorkflow":
            workflow = item["spec"]["workflowSpec"]
            (template,) = workflow["templates"]
            yield {**workflow, "containers": [template["container"]]}, template


def calls(name):
    """Every command line of an example, from the command's name on."""
    if name == "crontab":
        (line,) = [line for line in text(name).splitlines() if line[:1].isdigit()]
        return [shlex.split(re.split(r" 2>>| >", line)[0])[5:]]
    if name.endswith(".service"):
        return [shlex.split(unit(name)["Service"]["ExecStart"])[1:]]
    if name.endswith(".yaml"):
        pods = [pod["containers"][0] for pod, _ in pod_specs(name)]
        return [[*pod.get("command", []), *pod["args"]] for pod in pods]
    strings = [node.value for node in ast.walk(ast.parse(text(name))) if isinstance(node, ast.Constant)]
    commands = [item for item in strings if isinstance(item, str) and item.startswith("clipmill ")]
    filled = [re.sub(r"\$\{\w+:-(.*?)\}", r"\1", item.replace("{{ ds }}", "2026-03-01")) for item in commands]
    return [shlex.split(item) for item in filled]


@pytest.mark.parametrize("name", ["crontab", "clipmill-daily.service", *MANIFESTS, "airflow_dag.py"])
def test_every_command_parses(name):
    found = calls(name)
    assert found
    for program, *arguments in found:
        parsed = build_parser().parse_args(arguments)
        assert (program, parsed.command, str(parsed.job)) == ("clipmill", "run", "/etc/clipmill/daily.toml")
        assert (parsed.wait, parsed.log_format) == (True, "json")
        assert parsed.allow_empty or parsed.date


def test_the_job_specs_are_right(tmp_path, capsys):
    assert main(["run", str(FOLDER / "daily.toml"), "--check", "--date", "2026-03-01"]) == ExitCode.GOOD
    assert "/data/clips/2026-02-28" in capsys.readouterr().out
    (config,) = [item for item in documents("job.yaml") if item["kind"] == "ConfigMap"]
    path = tmp_path / "daily.toml"
    path.write_text(config["data"]["daily.toml"])
    assert read_spec(path, [], date(2026, 3, 1)).job.inputs == ("/data/clips/2026-02-28",)


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_pod_starts_whatever_its_image_would(name):
    for pod, _ in pod_specs(name):
        (container,) = pod["containers"]
        # Beam's images, and those made of them, start a worker of a runner
        assert container["command"] == ["clipmill"]
        environment = {item["name"]: item["value"] for item in container["env"]}
        (data,) = [item["mountPath"] for item in container["volumeMounts"] if item["name"] == "data"]
        assert environment["CLIPMILL_MODELS"].startswith(f"{data}/")
        if container.get("securityContext", {}).get("runAsNonRoot"):
            # a pod whose image does not name another user is refused otherwise
            assert pod["securityContext"]["runAsUser"] > 0
            assert pod["securityContext"]["fsGroup"] > 0


def test_every_example_is_listed():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    listed = {link.rpartition("/")[2] for link in re.findall(r"\]\(schedules/([^)]+)\)", page)}
    assert listed == {path.name for path in FOLDER.iterdir() if path.is_file()}


def test_cron_reads_no_percent_sign_as_a_new_line():
    *_, line = text("crontab").splitlines()
    assert re.match(CRON + " clipmill ", line)
    assert "%" not in line


@pytest.mark.parametrize("name", ["clipmill-daily.service", "clipmill-daily.timer"])
def test_units(name):
    found = unit(name)
    for section, keys in found.items():
        assert set(keys) <= UNITS[section]
    if "Service" in found:
        assert found["Service"]["RestartPreventExitStatus"].split() == [
            str(int(code)) for code in NEVER_BETTER
        ]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_its_units(tmp_path):
    units = [shutil.copy(path, tmp_path) for path in FOLDER.glob("clipmill-daily.*")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with (tmp_path / "clipmill-daily.service").open("a") as file:
        file.write("NoSuchKey=1\n")
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert "NoSuchKey" in done.stderr


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests_hold_together(name):
    for item in documents(name):
        assert set(item) <= {"apiVersion", "kind", "metadata", "spec", "data"}
        label = item["metadata"].get("name") or item["metadata"]["generateName"].rstrip("-")
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?", label)
        spec = item.get("spec", {})
        for schedule in (spec.get("schedule"), *spec.get("schedules", [])):
            assert schedule is None or re.fullmatch(CRON, schedule)
        if item["kind"].startswith("Cron"):
            assert spec["concurrencyPolicy"] == "Forbid"
    for pod, job in pod_specs(name):
        (container,) = pod["containers"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            item["name"] for item in pod["volumes"]
        }
        for amounts in container["resources"].values():
            assert all(re.fullmatch(r"\d+(m|[KMG]i)?", amount) for amount in amounts.values())
        if "podFailurePolicy" in job:
            # the policy is refused with any other
            assert pod["restartPolicy"] == "Never"
            (rule,) = job["podFailurePolicy"]["rules"]
            assert rule["onExitCodes"]["containerName"] == container["name"]
            assert rule["onExitCodes"]["values"] == NEVER_BETTER
        else:
            codes = ", ".join(f'"{int(code)}"' for code in NEVER_BETTER)
            assert job["retryStrategy"]["expression"] == f"lastRetry.exitCode not in [{codes}]"


@installs
@pytest.mark.timeout(1200)
def test_kubernetes_schemas_know_every_field(tmp_path):
    python = environment(tmp_path / "kubernetes", "kubernetes-validate")
    code = (
        "import sys, yaml, kubernetes_validate as k\n"
        "for name in sys.argv[1:]:\n"
        "    for item in yaml.safe_load_all(open(name)): k.validate(item, k.latest_version(), strict=True)\n"
    )
    names = [FOLDER / name for name in MANIFESTS if name != "argo.yaml"]
    subprocess.run([python, "-c", code, *names], check=True, timeout=120)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text("cronjob.yaml").replace("timeZone", "timezone"))
    assert subprocess.run([python, "-c", code, wrong], check=False, timeout=120).returncode


@installs
@pytest.mark.timeout(1200)
def test_airflow_imports_its_dag(airflow_python, tmp_path):
    code = (
        "import runpy, sys\n"
        "dag = runpy.run_path(sys.argv[1])['dag']\n"
        "print(dag.dag_id, dag.max_active_runs, *[task.bash_command for task in dag.tasks])\n"
    )
    env = {**os.environ, "AIRFLOW_HOME": str(tmp_path / "home"), "PYTHONPATH": ""}
    command = [airflow_python, "-c", code, FOLDER / "airflow_dag.py"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(
        "clipmill_daily 1 clipmill run ${CLIPMILL_JOB:-/etc/clipmill/daily.toml} --date"
    )
