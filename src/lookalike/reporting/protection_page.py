"""The proof of a disguise as one static page beside its pictures. Imports no numpy."""

from collections.abc import Sequence
from html import escape
from typing import Final

from lookalike.reporting.page import html_page
from lookalike.reporting.protection import FrameRange, ProtectedFrame, Protection, figures

_STATES: Final = {
    "recognised": "recognised",
    "possible": "could be recognised",
    "unseen": "no face found, look at it",
    "hidden": "hidden",
}


def render_protection(found: Protection) -> str:
    """The whole HTML document."""
    title = "Disguise holds, as far as was measured" if found.protected else "NOT protected"
    kind = "good" if found.protected else "bad"
    body = [
        f"<h1>{escape(found.result)} <span class='verdict {kind}'>{escape(title)}</span></h1>",
        "<p class='bad'><strong>This page shows the person who is to be hidden. Give it to nobody; "
        "<code>lookalike wipe</code> removes it.</strong></p>",
        _summary(found),
        *_runs("Not replaced: the person's own face is shown", [one for one in found.recognised if not one.replaced]),
        *_runs("Recognised", [one for one in found.recognised if one.replaced]),
        *_runs("Could be recognised", found.possible),
        *_runs("No face found beside frames that show the person: look at them", found.unseen),
        *_runs("Faces of others, which nobody hid", found.others),
        _pictures(found),
        "<h2>What is not hidden</h2>",
        f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in found.not_hidden)}</ul>",
    ]
    return html_page(f"{found.result}: {title}", body)


def _summary(found: Protection) -> str:
    lines = [
        f"{found.frames_compared} of {found.frames_result} frames of the result were compared with dst, none was "
        f"skipped; {found.frames_with_person} show the person.",
        *figures(found),
        "The result has sound: the voice is not hidden." if found.sound else "The result has no sound.",
    ]
    if found.looked_at:
        lines.append(f"Looked at and answered for by hand: frames {', '.join(map(str, found.looked_at))}.")
    return f"<div class='sum'><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul></div>"


def _runs(title: str, frames: Sequence[FrameRange]) -> list[str]:
    if not frames:
        return []
    rows = "".join(
        f"<tr><td>{one.first if one.first == one.last else f'{one.first} to {one.last}'}</td>"
        f"<td>{one.begin:.2f} s</td><td>{escape(one.reason)}</td></tr>"
        for one in frames
    )
    head = "<thead><tr><th scope='col'>Frames</th><th scope='col'>From</th><th scope='col'>Why</th></tr></thead>"
    return [
        f"<h2>{escape(title)}</h2>",
        f"<div class='wide'><table>{head}<tbody>{rows}</tbody></table></div>",
    ]


def _pictures(found: Protection) -> str:
    shown = [frame for frame in found.frames if frame.frame in found.pictures]
    if not shown:
        return ""
    return (
        "<h2>The worst frames <small>dst left, result right</small></h2>"
        f"<div class='pairs'>{''.join(_picture(frame, found.pictures[frame.frame]) for frame in shown)}</div>"
    )


def _picture(frame: ProtectedFrame, file: str) -> str:
    kind = "good" if frame.state == "hidden" else "bad"
    reasons = "".join(f"<li class='verdict'>{escape(reason)}</li>" for reason in frame.reasons)
    far = ", ".join(f"{name} {one.least:.2f}" for name, one in frame.distances.items())
    return (
        f"<figure><img src='{escape(file, quote=True)}' alt='dst and the result, frame {frame.frame}' loading='lazy'>"
        f"<figcaption>frame {frame.frame}, {frame.seconds:.2f} s{f', {far}' if far else ''} "
        f"<span class='verdict {kind}'>{_STATES[frame.state]}</span><ul class='reasons'>{reasons}</ul>"
        "</figcaption></figure>"
    )
