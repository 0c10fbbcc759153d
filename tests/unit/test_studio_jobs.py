"""The queue: real processes, one at a time; stopped, retried, killed, flooded, and remembered."""

import json
import os
import signal
import sys
import tracemalloc
from dataclasses import asdict
from pathlib import Path

import pytest

from acting_commands import DEAF, POLITE, QUICK, act, is_alive, over, ready, until
from lookalike.errors import ConfigError, WorkspaceError
from lookalike.pipeline import processes
from lookalike.pipeline.workspace import Workspace
from lookalike.web.studio import jobs as jobs_module
from lookalike.web.studio.app import StudioServer
from lookalike.web.studio.job import KEPT_LINES, Job
from lookalike.web.studio.jobs import Jobs, NoJobError
from studio_http import Client


class TestOrder:
    def test_one_after_the_other_in_order(self, jobs: Jobs, root: Path) -> None:
        act(root, "a", POLITE)
        first = jobs.add("a", "shots").number
        ready(jobs, first)
        for name in ("b", "c", "b"):
            act(root, name, QUICK)
            jobs.add(name, "shots")
        jobs.add("c", "shots", next_up=True)
        assert [job["state"] for job in reversed(jobs.list())] == ["running", *["waiting"] * 4]
        assert (jobs.busy("a"), jobs.busy("b")) == (jobs.get(first), None)
        jobs.cancel(first)
        for number in range(2, 6):
            assert over(jobs, number).state == "done"
        assert (root / "ran").read_text().split() == ["c", "b", "c", "b"]
        assert jobs.busy("a") is None

    def test_a_job_that_waits_is_taken_out(self, jobs: Jobs, root: Path) -> None:
        act(root, "a", POLITE)
        act(root, "b", QUICK)
        running, waiting = jobs.add("a", "shots").number, jobs.add("b", "shots").number
        assert jobs.cancel(waiting).state == "cancelled"
        assert jobs.cancel(waiting).state == "cancelled"
        ready(jobs, running)
        jobs.cancel(running)
        assert over(jobs, running).state == "cancelled"
        assert not (root / "ran").exists()

    def test_there_is_an_end_to_waiting(self, jobs: Jobs, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(jobs_module, "MOST_WAITING", 2)
        act(root, "a", POLITE)
        ready(jobs, jobs.add("a", "shots").number)
        jobs.add("b", "shots")
        jobs.add("b", "shots")
        with pytest.raises(WorkspaceError, match="2 jobs are waiting"):
            jobs.add("b", "shots")

    def test_unknown_numbers_and_kinds(self, jobs: Jobs) -> None:
        for call in (jobs.get, jobs.cancel, jobs.retry):
            with pytest.raises(NoJobError):
                call(7)
        with pytest.raises(ConfigError, match="there is no job 'rm'"):
            jobs.add("a", "rm")
        assert jobs.list() == []


class TestStop:
    def test_the_first_time_a_command_saves(self, real: Jobs, root: Path) -> None:
        act(root, "a", "")
        number = real.add("a", "shots").number
        until(lambda: real.get(number).done > 3, "some steps")
        assert (real.get(number).step, real.get(number).unit, real.get(number).note) == ("shots", "steps", "so far")
        assert real.cancel(number).state == "stopping"
        job = over(real, number)
        assert (job.state, job.error) == ("cancelled", None)
        assert int((root / "a" / "saved").read_text()) >= 3
        assert job.lines[0] == "shots: here I am"
        assert "stopping; once more to stop at once" in job.lines
        with Workspace(root / "a").locked():
            pass

    def test_the_second_time_it_stops_at_once(self, real: Jobs, root: Path) -> None:
        act(root, "a", "print('asleep', flush=True); time.sleep(600)")
        number = real.add("a", "shots").number
        ready(real, number, "asleep")
        real.cancel(number)
        until(lambda: "stopping; once more to stop at once" in real.get(number).lines, "an answer to the first")
        assert real.get(number).state == "stopping"
        real.cancel(number)
        assert over(real, number).state == "cancelled"

    def test_one_that_is_stuck_is_killed_with_what_it_started(
        self, jobs: Jobs, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "SAVE_SECONDS", 0.2)
        monkeypatch.setattr(processes, "STOP_SECONDS", 0.2)
        act(root, "a", DEAF)
        number = jobs.add("a", "shots").number
        ready(jobs, number)
        process, child = jobs._running[number].number, int((root / "a" / "child").read_text())
        jobs.cancel(number)  # once: it is asked again, and killed, without anybody's help
        assert over(jobs, number).state == "cancelled"
        until(lambda: not is_alive(process) and not is_alive(child), "the end of both")

    def test_what_a_command_left_behind_holds_nothing_up(
        self, jobs: Jobs, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "_DRAIN_SECONDS", 0.2)
        act(root, "a", DEAF.replace("time.sleep(600)\n", "") + "os._exit(0)")
        assert over(jobs, jobs.add("a", "shots").number).state == "done"
        child = int((root / "a" / "child").read_text())
        until(lambda: not is_alive(child), "the end of the child")


class TestFailure:
    def test_the_commands_own_words_are_told(self, real: Jobs, root: Path) -> None:
        act(root, "a", "raise WorkspaceError('the moon is full; wait a day')")
        job = over(real, real.add("a", "shots").number)
        assert (job.state, job.error) == ("failed", "the moon is full; wait a day")

    def test_without_such_words_the_last_line(self, jobs: Jobs, root: Path) -> None:
        act(root, "a", "raise RuntimeError('oh')")
        job = over(jobs, jobs.add("a", "shots").number)
        assert job.error == "the command ended with code 1: RuntimeError: oh"

    def test_a_killed_process(self, jobs: Jobs, root: Path) -> None:
        act(root, "a", POLITE)
        act(root, "b", QUICK)
        number, after = jobs.add("a", "shots").number, jobs.add("b", "shots").number
        ready(jobs, number)
        os.kill(jobs._running[number].number, signal.SIGKILL)
        job = over(jobs, number)
        assert (job.state, job.error) == (
            "failed",
            "the command was killed; if nobody did, there was not enough memory",
        )
        assert over(jobs, after).state == "done"

    def test_one_that_cannot_be_started(self, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        job = jobs.add("a", "shots")
        assert (job.state, job.error) == ("failed", "it cannot be started (No such file or directory)")

    def test_retry(self, jobs: Jobs, root: Path) -> None:
        act(root, "a", "sys.exit(3)")
        number = jobs.add("a", "shots", options={"replace": True}).number
        assert over(jobs, number).error == "the command ended with code 3"
        act(root, "a", QUICK + "; print(sys.argv[1:])")
        again = over(jobs, jobs.retry(number).number)
        assert (again.state, again.options) == ("done", {"replace": True})
        assert again.lines[-1] == str(["shots", str(root / "a"), "--replace", "--json-lines"])
        act(root, "a", POLITE)
        running = jobs.add("a", "shots").number
        with pytest.raises(WorkspaceError, match="has not ended yet"):
            jobs.retry(running)

    def test_secrets_of_the_studio_are_none_of_a_commands_business(
        self, root: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOOKALIKE_PASSWORD", "correct horse battery")
        act(root, "a", "print(os.environ.get('LOOKALIKE_PASSWORD'), os.environ['PYTHONIOENCODING'])")
        jobs = Jobs(root, environment)
        assert over(jobs, jobs.add("a", "shots").number).lines == ["None utf-8:replace"]
        jobs.close()


class TestWords:
    def test_events_and_lines(self) -> None:
        job = Job(1, "a", "shots", None, {}, [])
        progress = {"event": "progress", "step": "s", "done": 1, "total": None, "unit": "u", "note": "n" * 999}
        odd = ["{", "[]", "5", "null", '"event"', "[" * 5000, '{"event": "progress"}', '{"event": "message"}', "", " "]
        huge = json.dumps(progress | {"done": 10**400})
        job.hear([json.dumps(progress), json.dumps(progress | {"done": float("nan")}), huge, *odd])
        assert (job.step, job.done, job.total, job.unit, len(job.note)) == ("s", 0, 0, "u", 200)
        assert job.lines == [huge[:2000], *odd[:-2][:5], "[" * 2000, *odd[6:8]]
        job.hear([json.dumps({"event": "message", "step": "s", "text": "ü\u2028é" * 999})])
        assert job.lines[-1].startswith("s: ü\u2028é")
        assert len(job.lines[-1]) == 2000
        json.dumps(asdict(job), allow_nan=False)

    def test_a_million_lines_neither_grow_the_memory_nor_flood_the_pages(
        self, root: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        act(root, "a", "for _ in range(1000): sys.stdout.write(('x' * 40 + '\\n') * 1000)\nprint('the end')")
        with StudioServer(root) as server:
            jobs = server.studio.jobs
            monkeypatch.setattr(jobs, "_environment", jobs._environment | environment)
            client, seen = Client(server), 0
            with client.socket(client.head("GET", "/api/events")) as stream:
                tracemalloc.start()
                number = jobs.add("a", "shots").number
                while not jobs.get(number).is_over:
                    seen += len(stream.recv(2**20))
                _, peak = tracemalloc.get_traced_memory()
                tracemalloc.stop()
            job = jobs.get(number)
            assert (job.state, len(job.lines), job.lines[-1]) == ("done", KEPT_LINES, "the end")
            assert peak < 8 * 2**20  # of 41 MB that were said
            assert seen < 8 * 2**20
            assert len(json.dumps(jobs.look())) < 40_000

    def test_a_line_without_end(self, jobs: Jobs, root: Path) -> None:
        text = "for _ in range(300): sys.stdout.write('y' * 100_000)\nprint('\\nnow\\rthen\\r\\n\\xff')"
        act(root, "a", "sys.stdout.reconfigure(encoding='latin-1')\n" + text)
        tracemalloc.start()
        job = over(jobs, jobs.add("a", "shots").number)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert job.lines == ["y" * 2000, "then", "\ufffd"]
        assert peak < 4 * 2**20

    def test_pages_are_told_the_last_words_of_the_newest(self, jobs: Jobs, root: Path) -> None:
        act(root, "a", "for n in range(200): print(f'{n:03d}' + 'z' * 1997)")
        numbers = [over(jobs, jobs.add("a", "shots").number).number for _ in range(6)]
        told = jobs.look()
        assert [one["number"] for one in told] == numbers[::-1]
        assert [len(one["lines"]) for one in told] == [8, 8, 8, 8, 0, 0]
        assert told[0]["lines"][-1].startswith("199z")
        assert all(len(one["lines"]) == 200 for one in jobs.list("a"))
