import hashlib
import io

import pytest

from transforms.clips.errors import ClipError
from transforms.clips.reopening import ClipChangedError, reopen


def test_only_the_bytes_that_were_labelled_are_opened_again(make_video):
    content = make_video("mp4")
    digest = hashlib.sha256(content).hexdigest()
    clip = reopen("/in/a.mp4", digest, lambda _: io.BytesIO(content))
    assert (clip.width, clip.height, clip.bytes) == (160, 96, len(content))
    with pytest.raises(
        ClipChangedError, match=r"/in/a\.mp4: its bytes are no longer those that were labelled"
    ):
        reopen("/in/a.mp4", "0" * 64, lambda _: io.BytesIO(content))
    with pytest.raises(ClipError, match="0 bytes"):
        reopen("/in/a.mp4", digest, lambda _: io.BytesIO(b""))
