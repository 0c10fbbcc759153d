"""What notebooks and scripts use: it says what it is, and gives what was asked for."""

import inspect
import io
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest

from drawn_faces import FRAME_WH
from lookalike import api
from lookalike.errors import CheckpointError, FacesetError, VideoError, WorkspaceError
from lookalike.pipeline import run_events
from made_figures import make_figures, make_report
from merge_workspace import merge_workspace

DOCS = Path(__file__).parents[2] / "docs"
OWN = ("lookalike.api", "lookalike.pipeline.face_drawing", "lookalike.pipeline.contact_sheet")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> api.Workspace:
    """Six frames of dst with faces, and a model; not to be changed."""
    return merge_workspace(tmp_path_factory.mktemp("api"), 6)


class TestWhatIsThere:
    @pytest.mark.parametrize("name", api.__all__)
    def test_every_name_has_a_docstring_and_is_on_the_page(self, name: str) -> None:
        what = getattr(api, name)
        if inspect.isclass(what) or inspect.isfunction(what):
            assert (what.__doc__ or "").strip(), name
            assert not (what.__doc__ or "").startswith(f"{name}("), "the docstring is the one that Python made"
        page = (DOCS / "api.md").read_text("utf-8")
        assert f"`{name}`" in page or f"`{name}(" in page

    @pytest.mark.parametrize("name", [n for n in api.__all__ if getattr(getattr(api, n), "__module__", "") in OWN])
    def test_calls_are_on_the_page_as_they_are(self, name: str) -> None:
        what = getattr(api, name)
        if inspect.isfunction(what):
            bare = [p.replace(annotation=p.empty) for p in inspect.signature(what).parameters.values()]
            assert f"`{name}{inspect.Signature(bare)}`" in (DOCS / "api.md").read_text("utf-8")

    def test_everything_public_is_listed(self) -> None:
        own = {n for n, what in vars(api).items() if getattr(what, "__module__", "") == api.__name__ and n[0] != "_"}
        assert own <= set(api.__all__)

    def test_the_page_has_the_example_as_it_is(self) -> None:
        assert (DOCS / "examples" / "extract_job.py").read_text("utf-8") in (DOCS / "api.md").read_text("utf-8")

    def test_the_steps_are_those_of_the_package(self) -> None:
        from lookalike import extract, merge, swap, train

        assert (api.extract, api.merge, api.swap, api.train) == (extract, merge, swap, train)

    def test_the_package_itself_stays_light(self) -> None:
        code = "import sys, lookalike; print('lookalike.api' in sys.modules, 'numpy' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["False", "False"]


def step(count: int = 3) -> Generator[api.Event, None, str]:
    yield api.Message("act", "begun")
    for number in range(count):
        yield api.Progress("act", number + 1, count, note="two\nlines")
    yield api.Message("act", "done")
    return "the outcome"


class Ipython:
    """Stands for IPython in a notebook: `display` and what it shows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, kernel: bool = True) -> None:
        self.shown: list[str] = []
        shell = type("Shell", (), {"kernel": 1} if kernel else {})()
        monkeypatch.setitem(sys.modules, "IPython", self)
        monkeypatch.setitem(sys.modules, "IPython.display", self)
        self.get_ipython = lambda: shell

    def display(self, data: dict[str, str], *, raw: bool, display_id: bool) -> "Ipython":
        assert raw
        assert display_id
        self.update(data, raw=True)
        return self

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.shown.append(data["text/plain"])


class TestRun:
    def test_gives_what_the_step_returns_and_is_silent(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert api.run(step()) == "the outcome"
        assert api.run(iter([api.Message("act", "x")])) is None
        assert capfd.readouterr() == ("", "")

    def test_a_function_is_given_every_event(self) -> None:
        heard: list[api.Event] = []
        api.run(step(), heard.append)
        assert heard == list(step())

    def test_a_line_where_there_is_no_terminal(self, capsys: pytest.CaptureFixture[str]) -> None:
        api.run(step(), "line")
        assert capsys.readouterr().err == "act: begun\nact: done\n"

    def test_a_line_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setattr(run_events, "_LEAST_SECONDS", 0)
        api.run(step(), "line")
        lines = terminal.getvalue().split("\r\x1b[K")
        assert "act: 2/3 frames  two?lines" in lines
        assert [line for line in lines if line.endswith("\n")] == ["act: begun\n", "act: done\n"]
        assert lines[-1] == ""  # no line of progress stays

    def test_in_a_notebook(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notebook = Ipython(monkeypatch)
        monkeypatch.setattr(run_events, "_LEAST_SECONDS", 0)
        api.run(step())
        assert notebook.shown[0] == ""
        assert "act: begun\nact: 2/3 frames  two?lines" in notebook.shown
        assert notebook.shown[-1] == "act: begun\nact: done"

    def test_many_events_make_few_changes_of_a_cell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notebook = Ipython(monkeypatch)
        monkeypatch.setattr(run_events, "_LEAST_SECONDS", 3600)
        api.run(step(1000))
        assert len(notebook.shown) < 6

    def test_a_notebook_may_be_silent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notebook = Ipython(monkeypatch)
        api.run(step(), "nothing")
        assert notebook.shown == []

    def test_ipython_in_a_terminal_is_no_notebook(self, monkeypatch: pytest.MonkeyPatch) -> None:
        notebook = Ipython(monkeypatch, kernel=False)
        api.run(step())
        assert notebook.shown == []

    def test_a_step_that_is_interrupted_saves_its_state(self, monkeypatch: pytest.MonkeyPatch) -> None:
        saved = []

        def long() -> Iterator[api.Event]:
            try:
                while True:
                    yield api.Progress("act", 1, 2)
            finally:
                saved.append(True)

        def stop(_: api.Event) -> None:
            raise KeyboardInterrupt

        events = long()
        with pytest.raises(KeyboardInterrupt):
            api.run(events, stop)
        assert saved == [True]


class TestLooking:
    def test_faces(self, workspace: api.Workspace) -> None:
        faces = api.faces(workspace, "dst")
        assert len(faces) == 6
        assert faces[-1].record.frame == 5
        assert faces[2].image.shape == (64, 64, 3)
        assert [face.record.frame for face in faces[1:4]] == [1, 2, 3]
        assert faces[0].path.parent == workspace.aligned("dst")
        with pytest.raises(FacesetError):
            api.faces(workspace, "src")

    def test_a_sheet_has_every_face_at_its_place(self, workspace: api.Workspace) -> None:
        faces = api.faces(workspace, "dst")
        sheet = faces.sheet(columns=4, side=64)
        assert sheet.shape == (128, 256, 3)
        assert np.array_equal(sheet[64:, 64:128], faces[5].image)
        assert not sheet[64:, 128:].any()
        assert api.contact_sheet([]).shape == (0, 0, 3)
        assert api.contact_sheet([faces[0].image] * 2, side=100).shape == (100, 200, 3)

    def test_frames_before_and_after(self, workspace: api.Workspace) -> None:
        before, after = api.frame_pair(workspace, 3)
        width, height = FRAME_WH
        assert before.shape == after.shape == (height, width, 3)
        assert np.array_equal(before, api.frame(workspace.video("dst"), 3))
        changed = np.abs(before.astype(int) - after).max(2) > 8
        assert 0.01 < changed.mean() < 0.6

    def test_many_frames_with_one_model(self, workspace: api.Workspace) -> None:
        preview = api.MergePreview(workspace)
        options = api.MergeConfig(mode="raw-mask", mask="hull")
        for number in (1, 2):
            mask = preview.look(number, options).picture()
            assert set(np.unique(mask // 64)) >= {0, 3}
        preview.close()

    @pytest.mark.parametrize("number", [-1, 6, 10**6])
    def test_frames_that_are_none(self, workspace: api.Workspace, number: int) -> None:
        with pytest.raises(VideoError):
            api.frame(workspace.video("dst"), number)

    def test_a_face_through_the_model(self, workspace: api.Workspace) -> None:
        model = api.open_model(workspace)
        face = api.faces(workspace, "dst")[2]
        made = api.swap_face(model, face.image, face.record)
        side = model.config.resolution
        assert made.seen.shape == made.drawn.shape == (side, side, 3)
        assert made.mask is not None
        assert made.mask.shape == (side, side)
        small = api.contact_sheet([face.image], side=side)
        assert np.abs(made.seen.astype(int) - small).mean() < 8  # the same crop, only smaller
        wide = face.record.model_copy(update={"face_type": "half"})
        with pytest.raises(FacesetError, match="extract with --face-type full"):
            api.swap_face(model, face.image, wide)
        with pytest.raises(CheckpointError):
            api.open_model(workspace, "none")

    def test_losses(self, workspace: api.Workspace) -> None:
        assert len(api.losses(workspace).iterations) == 0
        log = workspace.model("guided") / "log.jsonl"
        log.write_text('{"iteration": 1, "loss_src": 0.5}\n{"iteration": 2, "loss_src": 0.25, "loss_dst": 1}\n')
        found = api.losses(workspace)
        assert found.iterations.tolist() == [1, 2]
        assert found.values["loss_src"].tolist() == [0.5, 0.25]
        assert np.isnan(found.values["loss_dst"][0])
        assert api.measurements(workspace).values == {}
        with pytest.raises(CheckpointError):
            api.losses(workspace, "none")

    def test_figures(self, workspace: api.Workspace) -> None:
        with pytest.raises(WorkspaceError, match="run report first"):
            api.figures(workspace)
        report = make_report([make_figures(number) for number in range(3)])
        workspace.report.mkdir()
        (workspace.report / "report.json").write_text(report.model_dump_json())
        assert api.figures(workspace) == report

    def test_credentials(self, workspace: api.Workspace) -> None:
        assert api.verify(workspace.video("dst")).state == "absent"
