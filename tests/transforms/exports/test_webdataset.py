import tarfile

import webdataset

from transforms.exports import webdataset as exports


def samples(root):
    urls = [str(path) for path in sorted(root.glob("*.tar"))]
    return list(webdataset.WebDataset(urls, shardshuffle=False).decode())


def test_its_own_package_reads_it(folder, make_clip, make_box, tmp_path):
    frames = {0: [make_box(1), make_box(None, category="person")], 1: []}
    exports.write(folder, [make_clip(frames, picture=b"image", uri="/ü.mp4")], ".jpg")
    first, second = samples(tmp_path / "out")
    assert first["__key__"] == "clip-a-000000000000000"
    assert first["jpg"] == b"image"
    labels = first["json"]
    assert (labels["clip_id"], labels["camera"], labels["uri"]) == ("clip-a", "front", "/ü.mp4")
    assert labels["boxes"][0] == {
        "category": "car",
        "category_id": 4,
        "x_min": 10.5,
        "y_min": 20.25,
        "x_max": 50.75,
        "y_max": 60.0,
        "score": 0.75,
        "label_source": "detected",
        "object_number": 1,
        "object_id": "object-1",
        "detection_id": "detection-1-10.5",
    }
    assert labels["boxes"][1]["object_number"] is None
    assert (second["json"]["timestamp_ns"], second["json"]["boxes"]) == (200_000_000, [])


def test_files_are_cut_and_name_no_user_and_no_time(folder, make_clip, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "MOST_BYTES", 1000)
    clip = make_clip({number: [] for number in range(5)}, picture=bytes(600))
    exports.write(folder, [clip], ".jpg")
    tars = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in tars] == ["shard-000000.tar", "shard-000001.tar", "shard-000002.tar"]
    for path in tars:
        with tarfile.open(path) as archive:
            for entry in archive:
                assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, 0, "", "")
    assert len(samples(tmp_path / "out")) == 5
