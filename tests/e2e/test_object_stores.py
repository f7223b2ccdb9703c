"""Clips and data sets in buckets, on a server that speaks S3."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress

import pyarrow.parquet as pq
import pytest
from running import SAMPLE, command, digests

pytest.importorskip("moto", reason="the server is moto's, of the extra `dev`")

from s3_server import CREDENTIALS, REGION, S3Server

OPTIONS = ("--model", "demo", "--max-failed-share", "1", "--fps", "1", "--json", "--workers", "2")
BUCKET = "cars"
KILLS = int(os.environ.get("CLIPMILL_KILLS", "3"))
FROM_PLACES = {"clips": {"uri", "clip_id", "event_id"}, "events": {"uri", "event_id"}}


@pytest.fixture(scope="module")
def server():
    server = S3Server(BUCKET)
    server.upload(SAMPLE / "TeslaCam", "drives")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | CREDENTIALS


@pytest.fixture(scope="module")
def in_folders(clipmill, tmp_path_factory):
    """The clips and their labels in folders."""
    clips = tmp_path_factory.mktemp("clips") / "drives"
    shutil.copytree(SAMPLE / "TeslaCam", clips)
    output = clips.parent / "out"
    done = clipmill("label", clips, "-o", output, *OPTIONS)
    assert done.code == 0, done.errors
    return clips, output


def tables_in(objects):
    return {name: digest for name, digest in objects.items() if not name.startswith("runs/")}


def in_bucket(server, prefix, folder):
    """A data set of the bucket, copied to a folder."""
    for name, content in server.objects(prefix).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_labels_of_a_folders_clips_are_the_same_bytes_in_a_bucket(
    clipmill, server, environment, in_folders, tmp_path
):
    clips, output = in_folders
    # the library's own variables lead there as well
    environment = environment | {"AWS_ENDPOINT_URL_S3": server.url, "AWS_DEFAULT_REGION": REGION}
    done = clipmill("label", clips, "-o", f"s3://{BUCKET}/same", *OPTIONS, env=environment)
    assert done.code == 0, done.errors
    copied = in_bucket(server, "same", tmp_path)
    assert digests(copied) == digests(output)
    assert clipmill("verify", copied).code == 0
    assert not (copied / ".clipmill.lock").exists()


def test_clips_in_a_bucket_are_labelled_as_those_in_a_folder(
    clipmill, server, environment, in_folders, tmp_path
):
    del server.requests[:]
    place = f"s3://{BUCKET}/drives"
    arguments = ("label", place, "-o", f"s3://{BUCKET}/labels", *OPTIONS, "--", *server.flags)
    done = clipmill(*arguments, env=environment)
    assert done.code == 0, done.errors
    first = Counter(request.path for request in server.requests if request.path.endswith(".mp4"))
    copied = in_bucket(server, "labels", tmp_path)
    assert clipmill("verify", copied).code == 0

    _, output = in_folders
    files = {path.relative_to(output) for path in output.glob("*/*.parquet")}
    assert {path.relative_to(copied) for path in copied.glob("*/*.parquet")} == files
    for file in files:
        there, here = (pq.read_table(io.BytesIO((root / file).read_bytes())) for root in (copied, output))
        apart = {name for name in here.schema.names if not here[name].equals(there[name])}
        # the ids of events and of duplicates are made from where they lie
        assert apart <= FROM_PLACES.get(str(file.parent), {"uri"}), file

    # every clip is opened to be probed and for each minute it is in: its size, and its bytes at once
    assert max(first.values()) <= 2 * (1 + 2), first

    del server.requests[:]
    again = clipmill(*arguments, env=environment)
    assert again.code == 0, again.errors
    assert again.data["shards"]["written"] == 0
    assert not [request for request in server.requests if request.path.endswith(".mp4")]
    record = server.get(f"labels/runs/{again.data['run_id']}/run.json").decode()
    for secret in CREDENTIALS.values():
        assert secret not in record + again.output + again.errors


class Reader(threading.Thread):
    """Lists a table again and again while others write, and notes ids that stand twice and files that are cut."""

    def __init__(self, server, prefix):
        super().__init__(daemon=True)
        self.server, self.prefix = server, prefix
        self.stopped = threading.Event()
        self.twice = []
        self.reads = 0

    def run(self):
        while not self.stopped.wait(0.2):
            for table, key in (("frames", "frame_id"), ("clips", "uri")):
                ids = Counter()
                with suppress(self.server.client.exceptions.NoSuchKey):
                    for content in self.server.objects(f"{self.prefix}/{table}").values():
                        ids.update(pq.read_table(io.BytesIO(content), columns=[key])[key].to_pylist())
                    self.reads += 1
                self.twice += [f"{table}: {item}" for item, count in ids.items() if count > 1]


def test_killed_at_random_moments_the_same_command_ends_the_same(
    clipmill, server, environment, in_folders, tmp_path
):
    clips, output = in_folders
    place = f"s3://{BUCKET}/killed"
    reader = Reader(server, "killed")
    reader.start()
    arguments = ("label", clips, "-o", place, *OPTIONS, "--", *server.flags)
    moments = random.Random(7)
    for _ in range(KILLS):
        begun = len(server.requests)
        process = subprocess.Popen(
            command(*arguments),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment,
        )
        # a moment is counted in writes: on a busy machine seconds say little
        writes = moments.randint(5, 120)
        while process.poll() is None and written(server.requests[begun:]) < writes:
            time.sleep(0.01)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = clipmill(*arguments, env=environment)
    assert done.code == 0, done.errors
    reader.stopped.set()
    reader.join()
    assert reader.reads > 0
    assert reader.twice == []
    assert digests(in_bucket(server, "killed", tmp_path)) == digests(output)


def written(requests):
    return sum(request.method in {"PUT", "POST"} for request in requests)


def test_what_cannot_be_reached_is_told_in_a_line(clipmill, server, environment, in_folders, tmp_path):
    clips, _ = in_folders
    there = f"s3://{BUCKET}/never"
    nowhere = clipmill("label", clips, "-o", "s3://no-such-bucket/x", "--", *server.flags, env=environment)
    assert nowhere.code == 1
    assert "s3://no-such-bucket/x: cannot be reached" in nowhere.errors
    assert "NoSuchBucket" in nowhere.errors

    empty = tmp_path / "aws"
    empty.touch()
    nobody = {name: value for name, value in environment.items() if name not in CREDENTIALS} | {
        "AWS_SHARED_CREDENTIALS_FILE": str(empty),
        "AWS_CONFIG_FILE": str(empty),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    stranger = clipmill("label", clips, "-o", there, "--", *server.flags, env=nobody)
    assert stranger.code == 1
    assert "Unable to locate credentials" in stranger.errors

    secret = clipmill("label", clips, "-o", there, "--", "--s3_secret_access_key=hidden", env=environment)
    assert secret.code == 2
    assert "no secrets on a command line" in secret.errors
    for failed in (nowhere, stranger, secret):
        assert len(failed.errors.splitlines()) == 1
        assert "hidden" not in failed.errors


def test_a_spec_with_dates_finds_its_day_in_a_bucket(clipmill, server, environment, tmp_path):
    prom = tmp_path / "daily.prom"
    spec = tmp_path / "daily.toml"
    spec.write_text(
        f'inputs = ["s3://{BUCKET}/days/{{date-1}}"]\noutput = "s3://{BUCKET}/daily"\nmodels = ["demo"]\n'
        "[labels]\nfps = 1\n"
    )
    how = ("--date", "2026-03-01", "--allow-empty", "--json", "--log-format", "json", "--metrics-file", prom)

    def run(*more):
        done = clipmill("run", spec, *how, *more, "--", *server.flags, env=environment)
        return done, [json.loads(line)["event"] for line in done.errors.splitlines()]

    empty, events = run()
    assert (empty.code, empty.data["run_id"], events) == (0, None, ["no_clip_yet"])
    assert server.objects("daily") == {}

    for clip in SAMPLE.glob("TeslaCam/SavedClips/*/2025-06-14_09-00-56-front.mp4"):
        key = f"days/2026-02-28/{clip.name}"
        server.client.put_object(Bucket=BUCKET, Key=key, Body=clip.read_bytes())
    told, _ = run("--dry-run")
    assert told.data["shards"] == {"label": 1, "take_over": 0, "keep": 0}
    done, events = run()
    assert done.code == 0, done.errors
    assert done.data["shards"] == {"written": 1, "skipped": 0, "failed": 0}
    assert events == ["run_started", "plan_made", "shard_done", "run_ended"]
    assert server.get(f"daily/runs/{done.data['run_id']}/metrics.prom") == prom.read_bytes()
    again, events = run()
    assert again.data["shards"] == {"written": 0, "skipped": 1, "failed": 0}
    assert events == ["run_started", "plan_made", "run_ended"]

    # a bucket that is not there is no empty day
    lost, events = run("--set", 'inputs=["s3://no-such-bucket/{date-1}"]')
    assert (lost.code, events) == (1, ["failed"])
    assert "NoSuchBucket" in lost.data["error"]["message"]
    assert "clipmill_run_exit_code" in prom.read_text()
    assert f'dataset="s3://{BUCKET}/daily"}} 1' in prom.read_text()
