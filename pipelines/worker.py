"""A Beam worker as a plain process: what the boot program of Beam's container images does, without a container.

Runners that start their workers by `--environment_type=PROCESS` call it with `--id` and `--provision_endpoint`.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Final

import grpc
from apache_beam.portability.api import beam_provision_api_pb2, beam_provision_api_pb2_grpc
from apache_beam.runners.worker import sdk_worker_main
from google.protobuf import json_format, text_format

_ANSWER_S: Final = 60.0
"""A worker that waits for a runner for ever would hold up the job."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Asks the runner what to connect to, and works until it says that this is enough.

    Args:
        arguments: the command line, by default this process's.
    """
    parser = argparse.ArgumentParser(prog="clipmill-worker", description=__doc__, allow_abbrev=False)
    parser.add_argument("--id", required=True, help="the worker's name in the job")
    parser.add_argument("--provision_endpoint", required=True, metavar="HOST:PORT", help="the runner")
    known, _ = parser.parse_known_args(arguments)
    # some runners quote it for a shell that is not there
    worker_id = known.id.strip("'")
    try:
        os.environ |= environment(worker_id, known.provision_endpoint)
    except grpc.RpcError as error:
        sys.exit(
            f"clipmill-worker: no runner at {known.provision_endpoint} that knows {worker_id}: {_reason(error)}"
        )
    sdk_worker_main.main([sys.argv[0]])


def _reason(error: grpc.RpcError) -> str:
    return f"{error.code().name}: {error.details()}"


def environment(worker_id: str, provision_endpoint: str) -> dict[str, str]:
    """What Beam's worker wants to find in its environment.

    Args:
        worker_id: the worker's name in the job.
        provision_endpoint: HOST:PORT of the runner.

    Returns:
        Variables, in the form that the boot program of Beam's images gives them.

    Raises:
        grpc.RpcError: no runner answers there, or it does not know the worker.
    """
    with grpc.insecure_channel(provision_endpoint) as channel:
        service = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel)
        request = beam_provision_api_pb2.GetProvisionInfoRequest()
        answer = service.GetProvisionInfo(request, timeout=_ANSWER_S, metadata=[("worker_id", worker_id)])
    info = answer.info
    return {
        "WORKER_ID": worker_id,
        "PIPELINE_OPTIONS": json.dumps(json_format.MessageToDict(info.pipeline_options)),
        "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(info.logging_endpoint),
        "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(info.control_endpoint),
        **({"RUNNER_CAPABILITIES": " ".join(info.runner_capabilities)} if info.runner_capabilities else {}),
    }


if __name__ == "__main__":
    main()
