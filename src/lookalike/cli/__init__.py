"""The `lookalike` command. Commands are imported when they run, so that help comes at once."""

import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from cyclopts import App, CycloptsError

from lookalike import __version__
from lookalike.cli import stop
from lookalike.cli.text import one_line
from lookalike.errors import ConfigError, LookalikeError

_STEPS, _VIDEO, _MERGING = "commands", "video_commands", "merge_commands"
_CREDENTIALS = "credentials_command"
_COMMANDS = {
    "demo": (_STEPS, "The whole job on an embedded sample, with no other input."),
    "swap": (_STEPS, "The whole job: extract, train, merge, encode, report."),
    "init": (_STEPS, "Make a workspace of two videos."),
    "check": ("check_command", "Look at videos: are they good enough, what is missing?"),
    "cut": (_VIDEO, "Keep a part of a video, exact to the frame."),
    "frames": (_VIDEO, "Write frames of a video as images, to look at or edit."),
    "denoise": (_VIDEO, "Take the noise out of a video of a workspace."),
    "extract": (_STEPS, "Find the faces of a video and align them."),
    "faceset": ("faceset_commands", "Look after the faces of a side: check, stats, filter, pack and more."),
    "mask": ("mask_commands", "Say what of a face is seen: by a network, by polygons."),
    "sort": ("sort_command", "Order the faces of a side, and take out what does not belong."),
    "train": ("train_command", "Train a model on both facesets."),
    "timelapse": ("training_commands", "Make a video of the preview history."),
    "shots": (_MERGING, "Find the cuts of dst, for options by shot."),
    "merge": (_MERGING, "Lay the new face into dst and write the video."),
    "encode": (_MERGING, "Make a video of merged images, with dst's sound."),
    "report": ("report_command", "Measure how good a result is, or compare results."),
    "sign": (_CREDENTIALS, "Sign a video or an image with content credentials (C2PA)."),
    "verify": (_CREDENTIALS, "Say who made a file, of what, and whether it was changed since."),
    "consent": ("consent_command", "Keep who agreed to what: add, list, check, withdraw."),
    "wipe": ("wipe_command", "Remove what a workspace holds of a person: faces, models, previews, logs."),
    "import": ("import_command", "Take over a model of DeepFaceLab."),
    "export": ("export_command", "Write a model for players (.dfm), as ONNX, or for DeepFaceLab."),
    "batch": ("batch_command", "Many pairs, one after the other or side by side, from a file of jobs."),
    "dataset": ("dataset_command", "Real and fake videos with masks and labels, for detectors of fakes."),
    "inspect": ("inspect_command", "Say what a file of another tool holds, without running any of it."),
    "studio": ("studio_command", "Everything in a browser page: look, decide, start and stop."),
    "weights": ("weights_commands", "Get pretrained networks that are not shipped."),
    "doctor": (_STEPS, "Say what this machine has and what will be used."),
}
"""The module of cli/ that a command is in, and its line of help."""
_NO_MEMORY = (
    "allocate memory",
    "out of memory",
    "insufficient memory",
    "failed to allocate",
    "bad_alloc",  # C++
    "start new thread",
    "could not create a primitive",  # oneDNN's words
    "could not execute a primitive",
)
_EPILOGUE = (
    "With every command: --config FILE.toml reads the same options, under [command]; "
    "--json-lines prints events for programs."
)


def build_app() -> App:
    """The command line, its commands not yet imported."""
    app = App(
        name="lookalike",
        help="Trained face replacement for video.",
        help_epilogue=_EPILOGUE,
        version=__version__,
        help_format="plaintext",
        suppress_keyboard_interrupt=False,  # `run` says how to go on
    )
    for name, (module, text) in _COMMANDS.items():
        app.command(f"lookalike.cli.{module}:{name}", name=name, help=text)
    return app


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 an error to act on, 2 wrong usage, 130 interrupted; `verify` also 3."""
    sys.exit(run(list(sys.argv[1:] if argv is None else argv)))


def run(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
    os.environ.setdefault("SVT_LOG", "1")
    # Threads that wait for each other spin this long, then sleep. On a quiet machine a step took no longer than with
    # libgomp's default (177 and 186 ms; 188 and 224); when others use the cores, a thread does not spin for one that
    # is not running. The gain on a busy machine was never measured under equal load. Read when torch is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "30000")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _ask_to_stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # names of files need not be text, and not every terminal has all letters
            stream.reconfigure(errors="backslashreplace")
    app = build_app()
    try:
        json_lines = _take_flag(arguments, "--json-lines")
        config = _take_value(arguments, "--config")
        if config is not None:
            from cyclopts.config import Toml

            app.config = (Toml(config, must_exist=True, allow_unknown=False),)
        if json_lines:
            os.environ["LOOKALIKE_JSON_LINES"] = "1"
        answer = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as exc:
        return _fail(_usage(exc), 2)
    except ConfigError as exc:
        return _fail(exc, 2)
    except LookalikeError as exc:
        return _fail(exc, 1)
    except BrokenPipeError:
        return _unheard()
    except OSError as exc:
        reason = f"{exc.filename or 'a file'}: {exc.strerror or exc}"
        return _fail(f"{reason}; put that right and run the same command again", 1)
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)  # noqa: T201
        return 130
    except Exception as exc:
        if not _lacks_memory(exc):
            raise
        return _fail("out of memory; close other programs or ask for less at once, and run the same command again", 1)
    return answer if isinstance(answer, int) else 0


def _lacks_memory(exc: Exception) -> bool:
    """Whether an error says that memory ran out, as Python, PyTorch, OpenCV and threads say it."""
    return isinstance(exc, MemoryError) or any(word in str(exc).lower() for word in _NO_MEMORY)


def _usage(exc: CycloptsError) -> str:
    """What is wrong with the command line, in one line."""
    from pydantic import ValidationError

    if not isinstance(exc.__cause__, ValidationError):
        return " ".join(str(exc).split())
    from lookalike.options import first_problem

    option, colon, rest = first_problem(exc.__cause__).partition(": ")
    known = option in {str(part) for part in exc.__cause__.errors()[0]["loc"]}
    return f"--{option.replace('_', '-')}{colon}{rest}" if known else f"{option}{colon}{rest}"


def _unheard() -> int:
    """Whoever read what is said here is gone, such as a studio that was killed; the step has saved its state."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):  # else Python complains when it empties them at its end
        os.dup2(nowhere, stream.fileno())
    return 1


def _fail(exc: object, code: int) -> int:
    print(f"error: {one_line(exc)}", file=sys.stderr)  # noqa: T201
    return code


def _ask_to_stop(number: int, _frame: FrameType | None) -> None:
    """Stop at the next event, where a step can save its state; at once when asked again."""
    if stop.requested:
        raise KeyboardInterrupt
    stop.requested = True
    if number == signal.SIGINT:
        print("stopping; once more to stop at once", file=sys.stderr)  # noqa: T201


def _take_flag(arguments: list[str], flag: str) -> bool:
    found = flag in arguments
    while flag in arguments:
        arguments.remove(flag)
    return found


def _take_value(arguments: list[str], name: str) -> str | None:
    for place, argument in enumerate(arguments):
        if argument == name and place + 1 < len(arguments):
            value = arguments[place + 1]
            del arguments[place : place + 2]
            return value
        if argument.startswith(f"{name}="):
            del arguments[place]
            return argument.split("=", 1)[1]
    return None
