"""A server that speaks S3, on this machine and in this process, with a note of every request."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "the-secret-of-somebody"}


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    method: str
    path: str
    query: str


class _Silent(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Requests are noted elsewhere."""


class S3Server:
    """A server with one bucket.

    Attributes:
        url: where it listens.
        requests: what was asked of it, in order.
        client: boto3's.
    """

    def __init__(self, bucket: str) -> None:
        self.requests: list[Request] = []
        self.bucket = bucket
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Silent)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        self.client.create_bucket(Bucket=bucket)

    def _answer(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.requests.append(
            Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"])
        )
        answer: Iterable[bytes] = self._app(environ, start)
        return answer

    @property
    def flags(self) -> list[str]:
        """Beam's flags that lead here."""
        return [f"--s3_endpoint_url={self.url}", f"--s3_region_name={REGION}"]

    def upload(self, folder: Path, prefix: str) -> None:
        """Copies a folder."""
        for path in folder.rglob("*"):
            if path.is_file():
                name = f"{prefix}/{path.relative_to(folder)}"
                self.client.put_object(Bucket=self.bucket, Key=name, Body=path.read_bytes())

    def objects(self, prefix: str) -> dict[str, bytes]:
        """What can be seen below a prefix."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{prefix}/")
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return {key.removeprefix(f"{prefix}/"): self.get(key) for key in keys}

    def get(self, key: str) -> bytes:
        """An object's bytes."""
        content: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def stop(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
