"""What the studio's page of training is told, and what it can ask for. No command is run."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lookalike.models.config import GuidedConfig
from lookalike.pipeline.model_folders import look_at_backups, look_at_model, model_folders
from lookalike.pipeline.workspace import Workspace
from lookalike.training.config import TrainConfig
from lookalike.web.studio import jobs
from lookalike.web.studio.app import StudioServer
from lookalike.web.studio.job import Job
from lookalike.web.studio.training_desk import carried_on
from studio_http import Client

SIZES = GuidedConfig(resolution=64).model_dump(mode="json")


class Patient:
    """A command that does nothing until it is stopped."""

    def __init__(
        self,
        words: list[str],
        environment: dict[str, str],
        hear: Callable[[list[str]], None],
        end: Callable[[int], None],
    ) -> None:
        self.words, self.hear, self._end = words, hear, end

    def stop(self) -> None:
        self._end(130)

    def join(self, seconds: float) -> bool:
        return True

    def kill(self) -> None:
        raise AssertionError


def write_state(folder: Path, step: int, **options: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = TrainConfig(**options).model_dump(mode="json")
    state = {"format": 2, "model": SIZES, "options": kept, "step": step, "seconds": step / 2}
    (folder / "state.json").write_text(json.dumps(state))


@pytest.fixture
def model(place: Workspace) -> Path:
    """A model of 900 iterations, and backups of 800 and 500."""
    folder = place.model("first")
    write_state(folder, 900, batch_size=4, minutes=30)
    for number, step in ((1, 800), (2, 500)):
        write_state(folder / "backups" / f"{number:02}", step)
        (folder / "backups" / f"{number:02}" / "preview.jpg").write_bytes(b"picture %d" % number)
    return folder


@pytest.fixture
def studio(place: Workspace, model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StudioServer]:
    monkeypatch.setattr(jobs, "Command", Patient)
    with StudioServer(place.folder) as server:
        yield server


@pytest.fixture
def client(studio: StudioServer) -> Iterator[Client]:
    client = Client(studio)
    yield client
    client.close()


@pytest.fixture
def base(place: Workspace) -> str:
    return f"/api/w/{place.folder.name}/training"


def started(studio: StudioServer, place: Workspace, **options: Any) -> Job:
    return studio.studio.jobs.add(place.folder.name, "train", options=options)


class TestLook:
    def test_models_faces_and_what_is_trained(
        self, studio: StudioServer, client: Client, base: str, place: Workspace
    ) -> None:
        place.model("xseg").mkdir()
        job = started(studio, place, name="second", preset="quick")
        seen = client.get(base).json
        first, mask = seen["models"]
        assert (first["name"], first["kind"], first["resolution"], first["iteration"]) == ("first", "guided", 64, 900)
        assert first["backups"] == 2
        assert (mask["kind"], mask["iteration"], mask["changed"]) == ("xseg", 0, None)
        assert seen["jobs"] == {"second": {"number": job.number, "kind": "train"}}
        assert seen["faces"] == {"src": True, "dst": True}

    def test_links_and_hidden_folders_are_no_models(self, place: Workspace, model: Path, tmp_path: Path) -> None:
        (model.parent / ".trash").mkdir()
        (model.parent / "link").symlink_to(tmp_path)
        assert model_folders(place) == ["first"]

    @pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'{"step": "x", "model": 3}', b"\xff"])
    def test_a_state_that_makes_no_sense(self, place: Workspace, model: Path, junk: bytes) -> None:
        (model / "state.json").write_bytes(junk)
        (model / "backups" / "01" / "state.json").write_bytes(junk)
        assert look_at_model(place, "first").iteration == 0
        assert [one.iteration for one in look_at_backups(model)] == [500]


class TestData:
    def test_options_are_those_of_the_last_run(self, client: Client, base: str) -> None:
        data = client.get(f"{base}/first/data.json").json
        assert (data["options"]["batch_size"], data["minutes"], data["target"]) == (4, 30, 0)
        assert (data["kind"], data["job"], data["timelapse"]) == ("guided", None, None)
        assert [(one["number"], one["iteration"]) for one in data["backups"]] == [(1, 800), (2, 500)]

    def test_options_of_a_job_hold_before_it_has_saved_them(
        self, studio: StudioServer, client: Client, base: str, place: Workspace
    ) -> None:
        job = started(studio, place, name="first", batch_size=7, iterations=5000)
        data = client.get(f"{base}/first/data.json").json
        assert (data["options"]["batch_size"], data["minutes"], data["target"]) == (7, 0, 5000)
        assert data["job"] == job.number

    def test_a_training_that_has_no_folder_yet(
        self, studio: StudioServer, client: Client, base: str, place: Workspace
    ) -> None:
        assert client.get(f"{base}/new/data.json").status == 404
        started(studio, place, name="new", preset="tutorial", resolution=64)
        data = client.get(f"{base}/new/data.json").json
        assert (data["sizes"]["model"], data["sizes"]["resolution"], data["iteration"]) == ("sae", 64, 0)
        assert (data["target"], data["options"]["sort_by_yaw"]) == (40000, True)

    @pytest.mark.parametrize("name", ["none", "..", "%2e%2e", "first%2f..", "first%2fbackups", ".", "x" * 300])
    def test_other_names_are_refused(self, client: Client, base: str, name: str) -> None:
        assert client.get(f"{base}/{name}/data.json").status in (400, 404)
        assert client.get(f"{base}/{name}/preview.jpg").status in (400, 404)

    def test_pictures_of_backups(self, client: Client, base: str, model: Path, tmp_path: Path) -> None:
        assert client.get(f"{base}/first/backups/2.jpg").body == b"picture 2"
        assert client.get(f"{base}/first/backups/3.jpg").status == 404
        secret = tmp_path.with_name("secret.jpg")
        secret.write_bytes(b"secret")
        (model / "backups" / "02" / "preview.jpg").unlink()
        (model / "backups" / "02" / "preview.jpg").symlink_to(secret)
        (model / "timelapse.mp4").symlink_to(secret)
        assert client.get(f"{base}/first/backups/2.jpg").status == 404
        assert client.get(f"{base}/first/timelapse.mp4").status == 404

    def test_a_deleted_model(self, client: Client, base: str, model: Path) -> None:
        model.rename(model.with_name(".gone"))
        answer = client.get(f"{base}/first/data.json")
        assert (answer.status, "no model 'first'" in answer.json["error"]) == (404, True)


class TestPlan:
    def plan(self, client: Client, base: str, **options: Any) -> Any:
        return client.post(f"{base}/plan", {"options": options}).json

    def test_the_tutorial(self, client: Client, base: str) -> None:
        plan = self.plan(client, base, preset="tutorial", batch_size=12)
        assert (plan["sizes"]["model"], plan["sizes"]["multiscale_decoder"]) == ("sae", True)
        assert (plan["options"]["iterations"], plan["options"]["batch_size"]) == (40000, 12)

    def test_another_architecture_has_its_own_sizes(self, client: Client, base: str) -> None:
        assert "inter_dims" in self.plan(client, base, preset="quick", model="amp")["sizes"]

    def test_the_mask_network(self, client: Client, base: str) -> None:
        plan = self.plan(client, base, model="xseg", iterations=70)
        assert (plan["sizes"], plan["options"]["iterations"], plan["options"]["batch_size"]) == ({}, 70, 16)

    def test_what_cannot_be_is_said(self, client: Client, base: str) -> None:
        assert "multiple of 16" in self.plan(client, base, preset="quick", resolution=33)["problem"]
        assert "e_ch_dims" in self.plan(client, base, preset="quick", e_ch_dims=20)["problem"].replace("-", "_")
        assert "no option" in self.plan(client, base, what=1)["problem"]


class TestChange:
    def test_it_stops_and_goes_on_before_all_that_waits(
        self, studio: StudioServer, client: Client, base: str, place: Workspace
    ) -> None:
        before = started(studio, place, name="first", batch_size=7, minutes=60)
        waiting = studio.studio.jobs.add(place.folder.name, "report")
        number = client.post(f"{base}/first/change", {"options": {"iterations": 8000}}).json["number"]
        after = studio.studio.jobs.get(number)
        assert [job.state for job in (before, waiting, after)] == ["cancelled", "waiting", "running"]
        assert after.options == {"name": "first", "batch_size": 7, "iterations": 8000}

    @pytest.mark.parametrize("options", [{"batch_size": 0}, {"what": 1}, {"iterations": "many"}])
    def test_what_cannot_be_leaves_the_training_alone(
        self, studio: StudioServer, client: Client, base: str, place: Workspace, options: dict[str, Any]
    ) -> None:
        job = started(studio, place, name="first")
        assert client.post(f"{base}/first/change", {"options": options}).status == 422
        assert job.state == "running"
        assert len(studio.studio.jobs.list()) == 1

    def test_what_is_not_trained_cannot_be_changed(self, client: Client, base: str) -> None:
        assert client.post(f"{base}/first/change", {"options": {}}).status == 404

    def test_a_job_that_is_stopping_is_not_asked_again(
        self, studio: StudioServer, client: Client, base: str, place: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stops: list[int] = []
        monkeypatch.setattr(Patient, "stop", lambda self: stops.append(1))
        started(studio, place, name="first")
        for size in (3, 4):
            assert client.post(f"{base}/first/change", {"options": {"batch_size": size}}).status == 200
        states = [(job["state"], job["options"].get("batch_size")) for job in studio.studio.jobs.list()]
        assert states == [("waiting", 4), ("cancelled", 3), ("stopping", None)]
        assert len(stops) == 1

    @pytest.mark.parametrize(
        ("lines", "changes", "options"),
        [
            ([], {"batch_size": 2}, {"name": "a", "backup": 3, "minutes": 9, "batch_size": 2}),
            (["train: back to iteration 5"], {}, {"name": "a", "minutes": 9}),
            (["a warning"], {}, {"name": "a", "backup": 3, "minutes": 9}),
            ([], {"iterations": 70}, {"name": "a", "backup": 3, "iterations": 70}),
            ([], {"iterations": 0}, {"name": "a", "backup": 3, "minutes": 9, "iterations": 0}),
        ],
    )
    def test_what_is_carried_on(self, lines: list[str], changes: dict[str, Any], options: dict[str, Any]) -> None:
        job = Job(1, "w", "train", None, {"name": "a", "backup": 3, "minutes": 9}, [], lines=lines)
        assert carried_on(job, changes) == options


class TestBack:
    def test_the_number_is_looked_up_when_it_is_asked_for(
        self, studio: StudioServer, client: Client, base: str, model: Path
    ) -> None:
        mark = client.get(f"{base}/first/data.json").json["backups"][1]["mark"]
        (model / "backups" / "02").rename(model / "backups" / "03")  # another backup was made meanwhile
        number = client.post(f"{base}/first/back", {"mark": mark}).json["number"]
        assert studio.studio.jobs.get(number).options == {"name": "first", "backup": 3}

    def test_not_while_it_is_trained(self, studio: StudioServer, client: Client, base: str, place: Workspace) -> None:
        mark = client.get(f"{base}/first/data.json").json["backups"][0]["mark"]
        started(studio, place, name="first")
        answer = client.post(f"{base}/first/back", {"mark": mark})
        assert (answer.status, "stop it first" in answer.json["error"]) == (422, True)

    def test_a_backup_that_is_gone(self, client: Client, base: str) -> None:
        assert client.post(f"{base}/first/back", {"mark": "7-3.5"}).status == 404
        assert client.post(f"{base}/none/back", {"mark": "7-3.5"}).status == 404
