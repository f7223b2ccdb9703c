import json
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from apache_beam.portability.api import (
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    endpoints_pb2,
)
from google.protobuf import struct_pb2, text_format

from pipelines.worker import environment, main


class Runner(beam_provision_api_pb2_grpc.ProvisionServiceServicer):
    """Tells one worker, by its name, where its runner is."""

    def GetProvisionInfo(self, _request, context):  # noqa: N802 - the service's name
        if dict(context.invocation_metadata())["worker_id"] != "1-2":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such worker")
        options = struct_pb2.Struct()
        options.update({"beam:option:runner:v1": "FlinkRunner", "beam:option:fps:v1": 2})
        return beam_provision_api_pb2.GetProvisionInfoResponse(
            info=beam_provision_api_pb2.ProvisionInfo(
                pipeline_options=options,
                logging_endpoint=endpoints_pb2.ApiServiceDescriptor(url="localhost:1"),
                control_endpoint=endpoints_pb2.ApiServiceDescriptor(url="localhost:2"),
                runner_capabilities=["beam:a:v1", "beam:b:v1"],
            )
        )


@pytest.fixture
def runner():
    server = grpc.server(ThreadPoolExecutor(1))
    beam_provision_api_pb2_grpc.add_ProvisionServiceServicer_to_server(Runner(), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    yield f"localhost:{port}"
    server.stop(None)


def test_a_worker_learns_from_its_runner_what_the_boot_program_would_tell_it(runner):
    told = environment("1-2", runner)
    control = text_format.Parse(
        told.pop("CONTROL_API_SERVICE_DESCRIPTOR"), endpoints_pb2.ApiServiceDescriptor()
    )
    logging = text_format.Parse(
        told.pop("LOGGING_API_SERVICE_DESCRIPTOR"), endpoints_pb2.ApiServiceDescriptor()
    )
    assert (control.url, logging.url) == ("localhost:2", "localhost:1")
    assert json.loads(told.pop("PIPELINE_OPTIONS")) == {
        "beam:option:runner:v1": "FlinkRunner",
        "beam:option:fps:v1": 2,
    }
    assert told == {"WORKER_ID": "1-2", "RUNNER_CAPABILITIES": "beam:a:v1 beam:b:v1"}


def test_a_worker_that_its_runner_does_not_know_ends_with_one_line(runner):
    with pytest.raises(SystemExit, match=f"no runner at {runner} that knows 1-3: NOT_FOUND: no such worker$"):
        main(["--id", "'1-3'", f"--provision_endpoint={runner}"])
