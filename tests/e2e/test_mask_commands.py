"""`lookalike mask` and `train --model xseg` as a person runs them."""

import re
import signal
import subprocess
import urllib.error
import urllib.request

import pytest
from running import ENVIRONMENT, Run, command

from lookalike.faceset import list_faces, load_record, replace_record
from lookalike.faceset.record import Polygon
from lookalike.landmarks import MESH_OVAL
from lookalike.pipeline.mask_networks import own_network
from lookalike.pipeline.models import model_names
from lookalike.pipeline.workspace import Workspace


def draw(place: Workspace, side: str = "dst", number: int = 0) -> None:
    path = list_faces(place.aligned("dst" if side == "dst" else "src"))[number]
    record = load_record(path)
    points = [(float(x), float(y)) for x, y in record.mesh_array()[list(MESH_OVAL)]]
    replace_record(path, record.model_copy(update={"polygons": [Polygon(kind="include", points=points)]}))


def test_from_nothing_to_a_network_of_one_s_own(place: Workspace, lookalike: Run) -> None:
    done = lookalike("mask", "apply", place.folder, "dst", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert "masked 6 of 6 faces with xseg fast generic" in done.stdout
    draw(place, number=0)
    draw(place, number=4)
    assert "to 3 others" in lookalike("mask", "carry", place.folder, "dst").stdout
    trained = lookalike(
        "train", place.folder, "--model", "xseg", "--iterations", 2, "--batch-size", 2, "--device", "cpu"
    )
    assert trained.returncode == 0, trained.stderr
    assert own_network(place).is_file()
    assert model_names(place) == []  # it is no swap model, and never taken for one
    again = lookalike("mask", "apply", place.folder, "dst", "--device", "cpu")
    assert "masked 6 of 6 faces with xseg fast own, 2 iterations" in again.stdout
    assert "copied 2 faces" in lookalike("mask", "fetch", place.folder, "dst").stdout
    assert "took masks out of 6 of 6 faces" in lookalike("mask", "remove", place.folder, "dst").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("train", "--model", "xseg", "--archi", "df"), 2, "--archi is no option of the model xseg; it has batch_size"),
        (("train", "--model", "xseg"), 1, "has polygons that say where the face is; draw some with mask edit"),
        (("train", "--mask-faces", "x"), 2, "--mask-faces belongs to --model xseg"),
        (("mask", "apply", "dst", "--network", "none.safetensors"), 1, "none.safetensors is missing"),
        (("mask", "carry", "dst", "--reach", "-1"), 2, "--reach"),
        (("mask", "fetch", "src"), 1, "draw some with mask edit"),
        (("mask", "edit", "dst", "--port", "99999"), 2, "port 99999; ports are 0..65535"),
        (("mask", "apply", "dst", "--network", "none.onnx"), 1, "none.onnx is missing"),
    ],
)
def test_refusals_are_one_line(
    place: Workspace, lookalike: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    words = list(arguments)
    words.insert(2 if words[0] == "mask" else 1, str(place.folder))
    done = lookalike(*words)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_the_page_is_served_until_it_is_stopped(place: Workspace) -> None:
    running = subprocess.Popen(
        command("mask", "edit", place.folder, "dst"), env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    try:
        line = running.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=[\w-]+", line)
        assert found, line
        assert f"{found[0]}#/w/ws/masks/dst " in line
        with urllib.request.urlopen(found[0], timeout=20) as answer:
            assert b"Lookalike studio" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(found[0].split("?")[0], timeout=20)
        beside = subprocess.run(
            command("mask", "remove", place.folder, "dst"), env=ENVIRONMENT, capture_output=True, text=True, timeout=60
        )
        assert beside.returncode == 0  # the page does not hold the workspace: its jobs are commands
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
    finally:
        running.kill()
        running.stdout.close()
        running.wait()
