import os

import pytest
from apache_beam.options.pipeline_options import DirectOptions, StandardOptions

from pipelines.beam_options import beam_options, clear_message, refuse_local_output, workers_here
from pipelines.outcome import UsageError


@pytest.mark.parametrize(("processes", "threads"), [(1, 1), (1, 32), (3, 1)])
def test_a_local_run_has_the_processes_and_threads_it_is_told(processes, threads):
    options, each = beam_options([], processes=processes, threads=threads)
    assert options.view_as(StandardOptions).runner == "FnApiRunner"
    assert options.view_as(DirectOptions).direct_num_workers == processes
    assert each == threads


def test_beams_own_flags_win():
    options, each = beam_options(
        ["--direct_num_workers=3", "--direct_running_mode=multi_processing"], threads=2
    )
    assert options.view_as(DirectOptions).direct_num_workers == 3
    assert each == 1


@pytest.mark.parametrize(
    ("flags", "workers", "here"),
    [
        ([], 2, 2),
        ([], 9, 9),
        (["--direct_num_workers=3", "--direct_running_mode=multi_processing"], 2, 3),
        (["--direct_num_workers=0"], 2, os.cpu_count()),
        (["--runner=FlinkRunner"], 2, None),
    ],
)
def test_workers_of_this_machine(flags, workers, here):
    assert workers_here(*beam_options(flags, threads=workers)) == here


@pytest.mark.parametrize("flag", ["--runer=FlinkRunner", "--direct_num_wokers=2", "stray", "--help", "-h"])
def test_unknown_flags_are_refused(flag):
    with pytest.raises(UsageError):
        beam_options([flag])


def test_a_job_server_may_know_more_flags():
    options, each = beam_options(["--runner=FlinkRunner", "--execution_mode_for_batch=BATCH_FORCED"])
    assert options.view_as(StandardOptions).runner == "FlinkRunner"
    assert each == 1


def test_flags_of_clusters_are_known():
    flags = [
        "--worker_machine_type=n2-standard-8",
        "--experiment=a",
        "--extra_package=x.tar.gz",
        "--region=eu",
    ]
    options, _ = beam_options(["--runner=DataflowRunner", "--project=p", *flags])
    assert options.get_all_options()["project"] == "p"


def test_an_almost_known_flag_is_refused_on_every_runner():
    with pytest.raises(UsageError, match="--flink_master"):
        beam_options(["--runner=FlinkRunner", "--flink_mastre=far:8081"])


def test_a_local_folder_is_refused_on_a_cluster():
    cluster, _ = beam_options(["--runner=FlinkRunner", "--flink_master=far:8081"])
    with pytest.raises(UsageError, match="URL"):
        refuse_local_output(cluster, "/out")
    here, _ = beam_options([])
    refuse_local_output(here, "/out")
    near = ["--runner=FlinkRunner", "--flink_master=localhost:8081", "--environment_type=PROCESS"]
    refuse_local_output(beam_options(near)[0], "/out")
    far = ["--runner=FlinkRunner", "--flink_master=far:8081", "--environment_type=PROCESS"]
    with pytest.raises(UsageError, match="URL"):
        refuse_local_output(beam_options(far)[0], "/out")


def test_the_message_of_a_workers_traceback_is_its_last_line():
    text = (
        "Traceback (most recent call last):\n  File x\nOSError: [Errno 28] No space left on device: '/out/a'"
        " [while running 'Mill/Mill']\n\n"
    )
    assert clear_message(RuntimeError(text)) == "[Errno 28] No space left on device: '/out/a'"
    arrow = "Traceback:\npyarrow.lib.ArrowInvalid: bad [while running 'Mill/x'] page"
    assert clear_message(RuntimeError(arrow)) == "bad page"
    assert clear_message(ValueError("plain")) == "plain"
    assert clear_message(ValueError()) == "ValueError"


@pytest.mark.parametrize(
    "flag",
    [
        "--s3_secret_access_key=hidden",
        "--s3_access_key_id=hidden",
        "--azure_connection_string=hidden",
        "--s3_endpoint_url=https://somebody:hidden@storage.example",
        "--blob_service_endpoint=https://hidden@storage.example/x",
    ],
)
def test_secrets_are_refused_and_not_repeated(flag):
    with pytest.raises(UsageError) as found:
        beam_options(["--runner=FlinkRunner", flag])
    assert "hidden" not in str(found.value)
