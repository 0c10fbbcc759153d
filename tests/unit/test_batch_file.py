"""Files of jobs: what they may say, the pairs they make, and what is refused before any work starts."""

from pathlib import Path

import pytest

from lookalike.errors import BatchError, ConfigError
from lookalike.pipeline.batch_file import BatchFile, read_batch
from lookalike.pipeline.batch_state import swap_words


def written(folder: Path, text: str, *videos: str) -> Path:
    for name in videos:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"video")
    path = folder / "jobs.toml"
    path.write_text(text, encoding="utf-8")
    return path


def names(batch: BatchFile) -> list[str]:
    return [job.name for job in batch.jobs]


def test_a_job_is_the_command_that_a_person_would_write(tmp_path: Path) -> None:
    text = """
    [defaults]
    preset = "balanced"
    color-transfer = "mkl"
    masks = true
    [[job]]
    name = "anna"
    src = "a.mp4"
    dst = "clips/b.mp4"
    output = "out/{name}.mp4"
    iterations = 500
    stabilize = false
    overwrite = false
    src_person = "0"
    color_transfer = "rct"
    """
    batch = read_batch(written(tmp_path, text, "a.mp4", "clips/b.mp4"))
    words = swap_words(batch.jobs[0])
    assert words[:5] == [
        "swap",
        f"--src={tmp_path / 'a.mp4'}",
        f"--dst={tmp_path / 'clips' / 'b.mp4'}",
        f"--output={tmp_path / 'out' / 'anna.mp4'}",
        f"--workspace={tmp_path / 'out' / 'anna_workspace'}",
    ]
    assert sorted(words[5:]) == [
        "--color-transfer=rct",
        "--iterations=500",
        "--masks",
        "--no-stabilize",
        "--preset=balanced",
        "--src-person=0",
    ]


def test_the_command_line_takes_the_words_of_a_job(tmp_path: Path) -> None:
    from lookalike.cli import build_app

    text = 'job = [{src = "a.mp4", dst = "b.mp4", crf = 20, masks = true, stabilize = false, sound = "drop"}]'
    words = swap_words(read_batch(written(tmp_path, text, "a.mp4", "b.mp4")).jobs[0])
    _, bound, _ = build_app().parse_args(words, exit_on_error=False, print_error=False)
    given = bound.arguments
    assert given["encoding"].crf == 20
    assert given["merge_run"].masks
    assert not given["merge_run"].stabilize
    assert given["trust"].sound == "drop"


def test_few_lines_make_many_pairs(tmp_path: Path) -> None:
    clips = [f"clips/{name}.mp4" for name in ("anna", "bert", "cleo")]
    text = """
    job = [{src = "clips/*.mp4", dst = ["clips/*.mp4", "extra.mov"], output = "out/{src}/{dst}.mp4"}]
    [identities]
    Anna = ["clips/anna.mp4", "extra.mov"]
    """
    batch = read_batch(written(tmp_path, text, *clips, "extra.mov", "clips/notes.txt"))
    assert len(batch.jobs) == 3 * 4 - 3  # nobody on his own video
    assert "anna_on_bert" in names(batch)
    job = next(job for job in batch.jobs if job.name == "bert_on_extra")
    assert (job.src_identity, job.dst_identity) == ("bert", "Anna")
    assert job.output == tmp_path / "out" / "bert" / "extra.mp4"


def test_zip_takes_them_in_turn(tmp_path: Path) -> None:
    text = 'job = [{name = "two", src = ["a.mp4", "b.mp4"], dst = ["c.mp4", "d.mp4"], pairs = "zip"}]'
    batch = read_batch(written(tmp_path, text, "a.mp4", "b.mp4", "c.mp4", "d.mp4"))
    assert names(batch) == ["two-a_on_c", "two-b_on_d"]
    assert [job.name for job in batch.chosen(["two"])] == names(batch)
    assert [job.name for job in batch.chosen(["*_on_d"])] == ["two-b_on_d"]
    with pytest.raises(ConfigError, match="no job 'three'"):
        batch.chosen(["three"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('job = [{src = "a.mp4", dst = "b.mp4", itertions = 3}]', "no option 'itertions'; iterations is nearest"),
        ('defaults = {color_tranfer = "mkl"}\njob = [{src = "a.mp4", dst = "b.mp4"}]', "color_transfer is nearest"),
        ('job = [{src = "a.mp4", dst = "b.mp4", crf = 99}]', "crf of h264 is 0..51"),
        ('job = [{src = "a.mp4", dst = "b.mp4", preset = "huge"}]', "preset"),
        ('job = [{src = "a.mp4"}]', "has no dst"),
        ('job = [{src = ["a.mp4", "b.mp4"], dst = "a.mp4", pairs = "zip"}]', "make no pairs by zip"),
        ('job = [{src = ["a.mp4", "b.mp4"], dst = ["a.mp4", "b.mp4"], output = "x.mp4"}]', "have one output"),
        ('job = [{src = "a.mp4", dst = "b.mp4"}, {src = "a.mp4", dst = "b.mp4"}]', "have one name"),
        (
            'job = [{name = "x", src = "a.mp4", dst = "b.mp4", workspace = "w"}, '
            '{name = "y", src = "a.mp4", dst = "b.mp4", workspace = "./w"}]',
            "have one workspace",
        ),
        ('job = [{src = "a.mp4", dst = "b.mp4", output = "{name.__class__}.mp4"}]', "no other braces"),
        ('jobs = [{src = "a.mp4", dst = "b.mp4"}]', "no table 'jobs'"),
        (
            'job = [{src = "a.mp4", dst = "b.mp4"}]\nidentities = {one = "a.mp4", two = "*.mp4"}',
            "it shows one person",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text, "a.mp4", "b.mp4")
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        read_batch(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('job = [{src = "a.mp4", dst = "gone.mp4"}]', "gone.mp4 is not there"),
        ('job = [{src = "a.mp4", dst = "none/*.mp4"}]', "no video is called"),
        ("job = [", "is no TOML"),
        ("format = 2", "has format 2"),
        ("[defaults]", r"no \[\[job\]\]"),
    ],
)
def test_what_is_not_there_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BatchError, match=said):
        read_batch(written(tmp_path, text, "a.mp4"))


def test_names_are_fit_for_files(tmp_path: Path) -> None:
    text = 'job = [{name = "../é: a/b", src = "a.mp4", dst = "b.mp4"}]'
    batch = read_batch(written(tmp_path, text, "a.mp4", "b.mp4"))
    assert names(batch) == ["-é- a-b"]
    assert batch.jobs[0].output.parent == tmp_path
