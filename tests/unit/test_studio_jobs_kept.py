"""What is remembered of jobs: by the next studio, after a killed one, and of files that were damaged or forged."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from acting_commands import DEAF, POLITE, QUICK, act, is_alive, over, ready, until
from lookalike.errors import LookalikeError, WorkspaceError
from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio import job as job_module
from lookalike.web.studio import jobs as jobs_module
from lookalike.web.studio.app import StudioServer
from lookalike.web.studio.job import KEPT_JOBS, Job, keep, recall
from lookalike.web.studio.jobs import Jobs
from studio_http import Client


class TestMemory:
    def test_a_new_studio_shows_what_was_and_can_retry_it(
        self, root: Path, environment: dict[str, str], jobs: Jobs
    ) -> None:
        act(root, "a", POLITE)
        act(root, "b", QUICK)
        first, second = jobs.add("a", "shots").number, jobs.add("b", "shots", options={"replace": True}).number
        ready(jobs, first)
        jobs.close()
        assert [jobs.get(number).state for number in (first, second)] == ["interrupted", "interrupted"]
        assert (root / "a" / "saved").exists()  # it was asked and waited for, not killed
        with pytest.raises(WorkspaceError, match="the studio is ending"):
            jobs.add("a", "shots")
        again = Jobs(root, environment)
        again.recall("a", "b")
        known = {job["workspace"]: job for job in again.list()}
        assert {name: job["state"] for name, job in known.items()} == {"a": "interrupted", "b": "interrupted"}
        assert known["a"]["lines"] == ["ready"]
        assert over(again, again.retry(known["b"]["number"]).number).state == "done"
        again.close()

    def test_closing_kills_who_does_not_stop(self, jobs: Jobs, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(jobs_module, "_STOP_SECONDS", 0.5)
        act(root, "a", DEAF)
        number = jobs.add("a", "shots").number
        ready(jobs, number)
        process, child = jobs._running[number].number, int((root / "a" / "child").read_text())
        jobs.close()
        assert jobs.get(number).state == "interrupted"
        until(lambda: not is_alive(process) and not is_alive(child), "the end of both")

    def test_closing_does_not_hurry_one_that_saves(self, real: Jobs, root: Path) -> None:
        act(root, "a", "print('asleep', flush=True); time.sleep(1); print('awake', flush=True)")
        number = real.add("a", "shots").number
        ready(real, number, "asleep")
        real.cancel(number)
        real.close()  # a second interrupt would have come while it sleeps
        assert real.get(number).state == "interrupted"
        assert "awake" in real.get(number).lines
        assert (root / "a" / "saved").exists()

    def test_a_command_whose_studio_was_killed_saves_and_ends(self, root: Path, tmp_path: Path, real: Jobs) -> None:
        act(root, "a", "")
        script = (
            "import json, pathlib, sys, time; from lookalike.web.studio.jobs import Jobs\n"
            f"jobs = Jobs(pathlib.Path({str(root)!r}), {{'PYTHONPATH': {str(tmp_path / 'step')!r}}})\n"
            "job = jobs.add('a', 'shots')\n"
            "while not job.done: time.sleep(0.02)\n"
            "print(jobs._running[job.number].number, flush=True); time.sleep(600)"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as studio:
            assert studio.stdout is not None
            command = int(studio.stdout.readline())
            with pytest.raises(WorkspaceError, match=f"another lookalike .process {command}. is at work"):
                Workspace(root / "a").locked().__enter__()
            studio.kill()
        until(lambda: not is_alive(command), "the end of the command")
        assert int((root / "a" / "saved").read_text()) > 0
        with Workspace(root / "a").locked():
            pass
        (job,) = real.list("a")
        assert job["state"] == "interrupted"
        again = real.retry(job["number"]).number
        until(lambda: real.get(again).done > 1, "the retried job at work")

    def test_only_so_many_are_remembered(self, jobs: Jobs, root: Path) -> None:
        act(root, "a", QUICK)
        old = [Job(n, "a", "shots", None, {}, ["shots"], state="done", made=n) for n in range(1, KEPT_JOBS + 20)]
        keep(root / "a", old)
        last = over(jobs, jobs.add("a", "shots").number).number
        assert len(jobs.list("a")) == KEPT_JOBS
        stored = json.loads((root / "a" / ".studio" / "jobs.json").read_text())["jobs"]
        assert (len(stored), stored[-1]["number"]) == (KEPT_JOBS, last)


GOOD: dict[str, Any] = asdict(Job(1, "a", "shots", None, {}, ["shots"], state="done"))


class TestDamagedMemory:
    @pytest.mark.parametrize(
        "content",
        [
            "", "{", "[]", "null", "5", '"x"', "[" * 100_000, '{"format": 2, "jobs": []}', '{"format": 1}',
            '{"format": 1, "jobs": 5}', '{"format": 1, "jobs": {"a": 1}}',
            '{"format": 1, "jobs": [[], 5, null, "x", {}]}',
            '{"format": 1, "jobs": [' + "9" * 6000 + "]}",
        ],
    )  # fmt: skip
    def test_files_that_are_none(self, root: Path, jobs: Jobs, content: str) -> None:
        act(root, "a", QUICK)
        (root / "a" / ".studio").mkdir()
        (root / "a" / ".studio" / "jobs.json").write_text(content)
        assert jobs.list("a") == []
        assert over(jobs, jobs.add("a", "shots").number).state == "done"

    @pytest.mark.parametrize(
        "change",
        [
            {"options": []}, {"options": {"a": float("inf")}}, {"lines": 5}, {"lines": [5]}, {"lines": ["x" * 2**21]},
            {"words": "rm -rf"}, {"state": "ready"}, {"side": "up"}, {"made": "now"}, {"made": float("nan")},
            {"started": True}, {"number": "1"}, {"kind": None}, {"error": {}}, {"done": "1"},
        ],
        ids=lambda change: next(iter(change)),
    )  # fmt: skip
    def test_values_of_wrong_types(self, root: Path, jobs: Jobs, change: dict[str, Any]) -> None:
        (root / "a" / ".studio").mkdir()
        stored = {"format": 1, "jobs": [GOOD | change, GOOD, {key: GOOD[key] for key in list(GOOD)[2:]}]}
        (root / "a" / ".studio" / "jobs.json").write_text(json.dumps(stored))
        assert [job["kind"] for job in jobs.list("a")] == ["shots"]
        json.dumps(jobs.list(), allow_nan=False)

    @pytest.mark.parametrize(
        "change",
        [
            {"kind": "rm"}, {"kind": "../shots"}, {"kind": ""}, {"options": {"no_such": 1}},
            {"kind": "extract", "side": "src", "options": {"detector": "file", "boxes": "/etc/passwd"}},
            {"kind": "mask-apply", "side": "dst", "options": {"network": "../../outside.onnx"}},
            {"kind": "merge", "options": {"name": "../../x"}}, {"kind": "extract"}, {"side": "dst"},
        ],
        ids=lambda change: next(iter(change)),
    )  # fmt: skip
    def test_hostile_jobs_are_shown_and_never_run(self, root: Path, jobs: Jobs, change: dict[str, Any]) -> None:
        (root / "a" / ".studio").mkdir()
        act(root, "a", QUICK)
        hostile = (
            GOOD | change | {"words": ["swap", "--output=/tmp/x"], "workspace": "../elsewhere", "state": "running"}
        )
        (root / "a" / ".studio" / "jobs.json").write_text(json.dumps({"format": 1, "jobs": [hostile]}))
        (job,) = jobs.list("a")
        assert (job["state"], job["workspace"]) == ("interrupted", "a")
        with pytest.raises(LookalikeError):
            jobs.retry(job["number"])
        assert not (root / "ran").exists()

    def test_stored_words_are_never_run(self, root: Path, jobs: Jobs) -> None:
        (root / "a" / ".studio").mkdir()
        act(root, "a", "print(sys.argv[1:])")
        stored = {"format": 1, "jobs": [GOOD | {"words": ["swap", "--output=/tmp/x"]}]}
        (root / "a" / ".studio" / "jobs.json").write_text(json.dumps(stored))
        (job,) = jobs.list("a")
        again = over(jobs, jobs.retry(job["number"]).number)
        assert again.lines == [str(["shots", str(root / "a"), "--json-lines"])]

    def test_files_that_are_links_pipes_or_huge(
        self, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "jobs.json").write_text(json.dumps({"format": 1, "jobs": [GOOD]}))
        (root / "a" / ".studio").symlink_to(outside)
        (root / "b" / ".studio").mkdir()
        (root / "b" / ".studio" / "jobs.json").symlink_to(outside / "jobs.json")
        (root / "c" / ".studio").mkdir()
        os.mkfifo(root / "c" / ".studio" / "jobs.json")
        assert [recall(root / name) for name in ("a", "b", "c", "none")] == [[], [], [], []]
        job = Job(1, "a", "shots", None, {}, [])
        for name in ("a", "none"):
            keep(root / name, [job])
        assert json.loads((outside / "jobs.json").read_text())["jobs"] == [GOOD]
        (root / "a" / ".studio").unlink()
        (root / "a" / ".studio").write_text("a file")
        keep(root / "a", [job])
        (root / "b" / ".studio" / "jobs.json").unlink()
        keep(root / "b", [job])
        assert len(recall(root / "b")) == 1
        monkeypatch.setattr(job_module, "_LARGEST_FILE", 10)
        assert recall(root / "b") == []


class TestTwoStudios:
    def test_a_folder_has_one_studio(self, root: Path) -> None:
        with StudioServer(root) as first:
            for folder in (root, root / "a"):
                with pytest.raises(
                    WorkspaceError, match=rf"another studio .process {os.getpid()}. serves .*root; its page"
                ):
                    StudioServer(folder).start()
            assert Client(first).get("/api/session").status == 200
        with StudioServer(root / "a"):
            pass

    def test_a_killed_studio_leaves_no_claim(self, root: Path) -> None:
        script = (
            "import pathlib, time; from lookalike.web.studio.claim import Claim\n"
            f"claim = Claim(pathlib.Path({str(root)!r})); claim.take(); print('mine', flush=True); time.sleep(600)"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as studio:
            assert studio.stdout is not None
            studio.stdout.readline()
            with pytest.raises(WorkspaceError, match=f"process {studio.pid}"):
                StudioServer(root).start()
            studio.kill()
        with StudioServer(root):
            pass

    def test_a_folder_that_is_a_link_is_left_alone(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (root / ".studio").symlink_to(tmp_path / "outside")
        with StudioServer(root):
            assert list((tmp_path / "outside").iterdir()) == []


class TestAsked:
    def test_by_a_page(self, root: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        act(root, "a", QUICK)
        keep(root / "b", [Job(1, "b", "shots", None, {}, [], state="running", started=5.0)])
        with StudioServer(root) as server:
            jobs, client = server.studio.jobs, Client(server)
            monkeypatch.setattr(jobs, "_environment", jobs._environment | environment)
            number = client.post("/api/w/a/jobs", {"kind": "shots", "options": {"replace": False}}).json["number"]
            over(jobs, number)
            assert client.get(f"/api/jobs/{number}").json["lines"] == ["I was a"]
            told = {job["workspace"]: job["state"] for job in client.get("/api/jobs").json["jobs"]}
            assert told == {"a": "done", "b": "interrupted"}
            assert [job["workspace"] for job in client.get("/api/jobs?workspace=b").json["jobs"]] == ["b"]
            again = client.post(f"/api/jobs/{number}/retry").json["number"]
            assert over(jobs, again).state == "done"
            assert client.post("/api/jobs/99/cancel").status == 404
            assert client.post(f"/api/jobs/{number}/explode").status == 404
            for body, status in (({"kind": "rm"}, 422), ({}, 400), ({"kind": "shots", "side": "src"}, 422), ([], 400)):
                assert client.post("/api/w/a/jobs", body).status == status

    def test_a_stream_tells_of_jobs_of_before_and_of_changes(self, root: Path) -> None:
        keep(root / "b", [Job(1, "b", "shots", None, {}, [], state="done")])
        with StudioServer(root) as server:
            client = Client(server)
            with client.socket(client.head("GET", "/api/events")) as stream, stream.makefile("r") as lines:
                first = next(line for line in lines if line.startswith("data: "))
                assert [job["workspace"] for job in json.loads(first[6:])["jobs"]] == ["b"]
                server.studio.jobs._running[77] = None  # type: ignore[assignment]
                server.studio.jobs.add("a", "shots")
                second = next(line for line in lines if line.startswith("data: "))
                assert [job["state"] for job in json.loads(second[6:])["jobs"]] == ["waiting", "done"]
                del server.studio.jobs._running[77]
