"""Glasses, hair, microphones, cups, lettering and shapes of any kind before a face. Pure."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.masks.hands import hand
from lookalike.masks.layers import Layer, Plane, Scene, filled, jittered, soft_noise, stroke

Draw = Callable[[Scene, np.random.Generator], Layer]


def rims(scene: Scene, rng: np.random.Generator) -> Layer:
    """Rims, bridge and arms of glasses; one time in six the lenses are dark and hide what is behind them."""
    side, points = scene.side, scene.landmarks
    eyes = np.stack([points[36:42].mean(0), points[42:48].mean(0)])
    apart = max(float(np.hypot(*(eyes[1] - eyes[0]))), 4.0)
    across = (eyes[1] - eyes[0]) / apart
    down = np.array([-across[1], across[0]])
    wide, high = apart * rng.uniform(0.33, 0.45), apart * rng.uniform(0.22, 0.42)
    power, thick = (
        rng.uniform(1.6, 4.5),
        max(0.7, apart * rng.choice([0.012, 0.02, 0.035, 0.06]) * rng.uniform(0.7, 1.4)),
    )
    sink = down * apart * rng.uniform(-0.05, 0.15)
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    curve = (
        np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / power),
        np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / power),
    )
    alpha, glass = np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    for eye, out in zip(eyes, (-1, 1), strict=True):
        middle = eye + sink + across * out * apart * 0.02
        ring = middle + curve[0][:, None] * across * wide + curve[1][:, None] * down * high
        alpha = np.maximum(alpha, stroke(ring, side, thick, closed=True))
        glass = np.maximum(glass, filled(ring, side))
        hinge = middle + across * out * wide - down * high * 0.4
        ear = points[0 if out < 0 else 16] + rng.normal(0, 2, 2) - down * apart * rng.uniform(0.0, 0.2)
        alpha = np.maximum(alpha, stroke(np.stack([hinge, ear]), side, thick))
    inner = np.stack([eyes[0] + sink + across * (wide + 0.02 * apart), eyes[1] + sink - across * (wide + 0.02 * apart)])
    bow = inner.mean(0) - down * high * rng.uniform(0, 0.6)
    alpha = np.maximum(alpha, stroke(np.stack([inner[0], bow, inner[1]]), side, thick))
    color = np.asarray(rng.uniform(0.02, 0.35, 3) if rng.random() < 0.7 else rng.uniform(0.2, 0.9, 3), np.float32)
    shine = 1 + np.clip(soft_noise(rng, side, 10), 0, 3)[..., None] * np.float32(rng.uniform(0, 0.6))
    if rng.random() < 1 / 6:
        alpha = np.maximum(alpha, glass * np.float32(rng.uniform(0.85, 1)))
    return Layer(np.clip(color * shine, 0, 1).astype(np.float32), alpha, depth=apart * rng.uniform(0.0, 0.05))


def glare(scene: Scene, rng: np.random.Generator) -> Layer:
    """Light on glass: one sees the face through it."""
    side, points = scene.side, scene.landmarks
    alpha = np.zeros((side, side), np.float32)
    for eye in (points[36:42].mean(0), points[42:48].mean(0)):
        size = scene.width * rng.uniform(0.03, 0.16, 2)
        corners = eye + rng.normal(0, 0.05 * scene.width, 2) + rng.uniform(-1, 1, (6, 2)) * size
        alpha = np.maximum(alpha, filled(cv2.convexHull(corners.astype(np.float32))[:, 0], side))
    alpha = cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.6, 3)) * np.float32(rng.uniform(0.1, 0.6))
    tint = np.asarray(rng.uniform(0.5, 1, 3), np.float32)
    return Layer(np.broadcast_to(tint, (side, side, 3)).astype(np.float32), np.asarray(alpha, np.float32), depth=0)


def hair(scene: Scene, rng: np.random.Generator) -> Layer:
    """Strands that fall over forehead or cheek, alone or as a fringe."""
    side, points = scene.side, scene.landmarks
    base = scene.hair if rng.random() < 0.6 else np.asarray(rng.uniform(0.02, 0.7, 3) * [1, 0.85, 0.7], np.float32)
    canvas = np.zeros((side, side, 4), np.uint8)
    brow, chin = points[17:27].mean(0), points[8]
    up = (brow - chin) / max(float(np.hypot(*(brow - chin))), 1.0)
    across = np.array([-up[1], up[0]])
    kind = rng.random()
    count = int(rng.integers(1, 6)) if kind < 0.4 else int(rng.integers(25, 90))
    centre, room = rng.uniform(-0.55, 0.55), rng.uniform(0.03, 0.15) if kind < 0.7 else rng.uniform(0.2, 0.6)
    reach, sway = rng.uniform(0.25, 1.4), rng.normal(0, 0.3)
    for _ in range(count):
        place = centre + rng.normal(0, room)
        root = brow + up * scene.width * rng.uniform(0.45, 0.75) + across * scene.width * place * rng.uniform(0.5, 1)
        tip = (
            root
            - up * scene.width * reach * rng.uniform(0.7, 1.1)
            + across * scene.width * (sway + rng.normal(0, 0.06))
        )
        bent = (root + tip) / 2 + across * scene.width * rng.normal(place * 0.4, 0.06)
        t = np.linspace(0, 1, 16)[:, None]
        curve = (1 - t) ** 2 * root + 2 * t * (1 - t) * bent + t**2 * tip
        shade, thick = jittered(base, rng, 0.35, 0.04) * 255, scene.width * rng.uniform(0.002, 0.014)
        line = [np.round(curve * 16).astype(np.int32)]
        cv2.polylines(
            canvas, line, False, (*shade.tolist(), 255 * min(1.0, thick)), max(1, round(thick)), cv2.LINE_AA, 4
        )
    strands = canvas.astype(np.float32) / np.float32(255)
    return Layer(
        _filled_out(strands[..., :3], strands[..., 3]), strands[..., 3], depth=scene.width * rng.uniform(0, 0.04)
    )


def microphone(scene: Scene, rng: np.random.Generator) -> Layer:
    """A ball on a stick, from below, before mouth or chin."""
    side = scene.side
    head = (
        scene.landmarks[48:68].mean(0) + rng.normal(0, 0.2 * scene.width, 2) + [0, rng.uniform(0, 0.35) * scene.width]
    )
    radius = scene.width * rng.uniform(0.07, 0.2)
    angle = rng.normal(0, 0.8)
    way = np.array([np.sin(angle), np.cos(angle)])
    beside = np.array([way[1], -way[0]])
    thin, long = radius * rng.uniform(0.35, 0.75), scene.width * 2
    shaft = np.stack(
        [
            head + beside * thin,
            head + way * long + beside * thin * 0.7,
            head + way * long - beside * thin * 0.7,
            head - beside * thin,
        ]
    )
    ball = head + _ellipse(radius, radius * rng.uniform(0.85, 1.5), angle, rng)
    alpha = np.maximum(filled(shaft, side), filled(ball, side))
    base = np.asarray(
        rng.uniform(0.02, 0.25) * rng.uniform(0.8, 1.2, 3) if rng.random() < 0.75 else rng.uniform(0.1, 0.9, 3),
        np.float32,
    )
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    round_off = np.clip(
        1.2 - np.hypot(x - head[0] + radius * 0.3, y - head[1] + radius * 0.4) / (2.2 * radius), 0.25, 1.2
    )
    mesh = 1 + 0.35 * np.sin(x * rng.uniform(0.8, 2.5)) * np.sin(y * rng.uniform(0.8, 2.5)) * filled(ball, side)
    color = base * (round_off * mesh)[..., None] * np.float32(rng.uniform(0.8, 2))
    return Layer(np.clip(color, 0, 1).astype(np.float32), alpha, depth=radius * rng.uniform(0.05, 0.5))


def cup(scene: Scene, rng: np.random.Generator) -> Layer:
    """A cup, a glass, a phone or a sheet before the lower half of a face."""
    side = scene.side
    middle = scene.landmarks[rng.integers(48, 68)] + rng.normal(0, 0.25 * scene.width, 2) + [0, 0.2 * scene.width]
    half = scene.width * np.array([rng.uniform(0.15, 0.4), rng.uniform(0.2, 0.6)])
    slant, angle = rng.uniform(0.7, 1.05), rng.normal(0, 0.35)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [slant, 1], [-slant, 1]]) * half @ turn.T + middle
    alpha = filled(corners, side)
    if rng.random() < 0.6:
        alpha = np.maximum(alpha, filled(corners[:2].mean(0) + _ellipse(half[0], half[0] * 0.25, angle, rng), side))
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    across = ((x - middle[0]) * turn[0, 0] + (y - middle[1]) * turn[1, 0]) / half[0]
    shade = 1 - np.float32(rng.uniform(0, 0.6)) * np.clip(across - rng.uniform(-0.8, 0.8), -1, 1) ** 2
    return Layer(_surface(scene, rng, shade), alpha, depth=scene.width * rng.uniform(0.01, 0.08))


def lettering(scene: Scene, rng: np.random.Generator) -> Layer:
    """Lines of text laid over the picture, as subtitles and logos are."""
    side = scene.side
    canvas = np.zeros((side, side), np.uint8)
    edge = np.zeros((side, side), np.uint8)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    for _ in range(int(rng.integers(1, 4))):
        text = "".join(letters[k] for k in rng.integers(len(letters), size=int(rng.integers(3, 16))))
        where = (int(rng.integers(-40, side // 2)), int(rng.integers(20, side)))
        font, size, thick = int(rng.integers(0, 5)), rng.uniform(0.5, 2.2), int(rng.integers(1, 6))
        cv2.putText(edge, text, where, font, size, 255, thick + 3, cv2.LINE_AA)
        cv2.putText(canvas, text, where, font, size, 255, thick, cv2.LINE_AA)
    body, rim = canvas.astype(np.float32) / 255, edge.astype(np.float32) / 255
    outlined = rng.random() < 0.5
    inner, outer = np.asarray(rng.uniform(0, 1, (2, 3)), np.float32)
    color = (
        inner * body[..., None] + outer * (1 - body[..., None]) if outlined else np.broadcast_to(inner, (side, side, 3))
    )
    return Layer(np.asarray(color, np.float32), np.asarray(rim if outlined else body, np.float32), depth=0)


def shape(scene: Scene, rng: np.random.Generator) -> Layer:
    """A blob of any outline and any surface, somewhere on the face. Source: RandOcc (Voo et al., CVPRW 2022)."""
    side = scene.side
    goal = scene.landmarks[int(rng.integers(68))] + rng.normal(0, 0.15 * scene.width, 2)
    count = int(rng.integers(4, 14))
    turn = np.sort(rng.uniform(0, 2 * np.pi, count))
    radius = scene.width * rng.uniform(0.1, 0.45) * rng.uniform(0.4, 1.2, count)
    stretch = rng.uniform(0.4, 1.0)
    corners = np.stack([np.cos(turn) * radius, np.sin(turn) * radius * stretch], 1)
    if rng.random() < 0.7:
        t = np.linspace(0, 1, 80, endpoint=False)
        corners = np.stack(
            [np.interp(t, np.arange(count + 1) / count, np.append(corners[:, k], corners[0, k])) for k in (0, 1)], 1
        )
        kernel = np.ones(9) / 9
        corners = np.stack([np.convolve(np.concatenate([c[-4:], c, c[:4]]), kernel, "valid") for c in corners.T], 1)
    angle = rng.uniform(0, 2 * np.pi)
    corners = corners @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).T + goal
    shade = 1 + np.float32(rng.uniform(0, 0.25)) * soft_noise(rng, side, int(rng.integers(1, 6)))
    alpha = filled(corners, side)
    return Layer(_surface(scene, rng, shade), alpha, depth=scene.width * rng.uniform(0, 0.08))


def cloth(scene: Scene, rng: np.random.Generator) -> Layer:
    """A collar, a scarf, a hat's brim: what comes from an edge of the picture."""
    side, points = scene.side, scene.landmarks
    above = rng.random() < 0.5
    line = (
        points[19:25].mean(0)[1] - scene.width * rng.uniform(0.02, 0.5)
        if above
        else points[8][1] - scene.width * rng.uniform(-0.1, 0.35)
    )
    x = np.linspace(-10, side + 10, 24)
    tilt = rng.normal(0, 0.15)
    y = (
        line
        + (x - points[8][0]) * tilt
        + (x - points[8][0]) ** 2 * rng.normal(0, 0.002)
        + np.cumsum(rng.normal(0, 1, 24))
    )
    edge = np.stack([x, y], 1)
    far = -20 if above else side + 20
    corners = np.concatenate([edge, [[side + 10, far], [-10, far]]])
    shade = 1 + np.float32(rng.uniform(0, 0.3)) * soft_noise(rng, side, int(rng.integers(2, 12)))
    return Layer(_surface(scene, rng, shade), filled(corners, side), depth=scene.width * rng.uniform(0, 0.08))


KINDS: tuple[tuple[Draw, float], ...] = (
    (hand, 0.40),
    (hair, 0.16),
    (rims, 0.14),
    (shape, 0.12),
    (microphone, 0.06),
    (cloth, 0.05),
    (cup, 0.04),
    (lettering, 0.03),
)
"""What may be in front of a face, and how often."""


def obstruction(scene: Scene, rng: np.random.Generator) -> Layer:
    """Something in front of a face, its edge softened as a lens or a movement softens it."""
    draws, odds = zip(*KINDS, strict=True)
    layer: Layer = draws[int(rng.choice(len(draws), p=np.array(odds) / sum(odds)))](scene, rng)
    alpha = layer.alpha
    if rng.random() < 0.5:
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), rng.uniform(0.3, 1.2)), np.float32)
    if rng.random() < 0.12:
        alpha = moved_blur(alpha, rng.uniform(2, 12), rng.uniform(0, np.pi))
    return Layer(layer.color, alpha, layer.depth)


def moved_blur(picture: NDArray[np.float32], length: float, angle: float) -> NDArray[np.float32]:
    """A picture as it looks that moved by `length` pixels while it was taken."""
    size = int(length) // 2 * 2 + 3
    kernel = np.zeros((size, size), np.float32)
    middle, way = size // 2, np.array([np.cos(angle), np.sin(angle)]) * length / 2
    start, end = np.round((np.array([middle, middle]) - way) * 16), np.round((np.array([middle, middle]) + way) * 16)
    cv2.line(kernel, start.astype(int).tolist(), end.astype(int).tolist(), 1.0, 1, cv2.LINE_AA, 4)
    return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.float32)


def _surface(scene: Scene, rng: np.random.Generator, shade: Plane) -> NDArray[np.float32]:
    """Plain colour, skin, or the texture of another picture, times a shade."""
    kind, side = rng.random(), scene.side
    if kind < 0.45:
        angle, zoom = rng.uniform(0, 360), rng.uniform(0.7, 2.5)
        matrix = cv2.getRotationMatrix2D((side / 2, side / 2), angle, zoom)
        matrix = np.hstack([matrix[:, :2], matrix[:, 2:] + rng.uniform(-side / 3, side / 3, (2, 1))])
        texture = cv2.warpAffine(scene.strangers, matrix, (side, side), borderMode=cv2.BORDER_REFLECT)
        color = np.asarray(texture * np.exp(rng.uniform(-0.4, 0.4, 3)), np.float32)
    elif kind < 0.65:
        color = np.broadcast_to(jittered(scene.skin, rng, 0.3, 0.06), (side, side, 3))
    else:
        color = np.broadcast_to(np.asarray(rng.uniform(0.02, 0.98, 3), np.float32), (side, side, 3))
    grain = rng.normal(0, rng.uniform(0, 0.03), (side, side, 1)).astype(np.float32)
    return np.asarray(np.clip(color * shade[..., None] + grain, 0, 1), np.float32)


def _filled_out(color: NDArray[np.float32], alpha: Plane) -> NDArray[np.float32]:
    """Colours that were laid over black, as they are where they cover fully."""
    return np.asarray(np.clip(color / np.maximum(alpha, 1e-3)[..., None], 0, 1), np.float32)


def _ellipse(wide: float, high: float, angle: float, rng: np.random.Generator) -> NDArray[np.float64]:
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rough = 1 + rng.uniform(0, 0.02) * rng.standard_normal(40)
    points = np.stack([np.cos(turn) * wide, np.sin(turn) * high], 1) * rough[:, None]
    return np.asarray(points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]))
