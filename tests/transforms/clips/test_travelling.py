import pickle

import pytest
from clip_refs import clip

from transforms.clips.refs import InputFile
from transforms.clips.shards import plan_drives

CLIP = clip("/car/2026-11-01_12-00-00-front.mp4", minute="2026-11-01_12-00-00", kind="SavedClips")
(SHARD,) = plan_drives([CLIP], 2_000_000_000)


@pytest.mark.parametrize("reference", [InputFile(uri="/a.mp4", root="/", bytes=7), CLIP, CLIP.name, SHARD])
def test_what_arrives_is_what_was_sent(reference):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        arrived = pickle.loads(pickle.dumps(reference, protocol))  # noqa: S301 - made here
        assert arrived == reference
        assert type(arrived) is type(reference)
        assert hash(arrived) == hash(reference)


def test_other_fields_than_the_class_has_are_refused():
    with pytest.raises(ValueError, match="zip"):
        InputFile(uri="/a.mp4", root="/", bytes=7).__setstate__(("/a.mp4",))
