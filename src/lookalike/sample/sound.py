"""A quiet voice-like buzz that follows a mouth, for the demo's sound track."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

PEAK = 0.12
"""Largest sample, of 1."""

_CLOSED_HZ = np.array([300.0, 950.0, 2300.0])
_OPEN_HZ = np.array([760.0, 1350.0, 2650.0])
_WIDTH_HZ = np.array([90.0, 130.0, 200.0])
_LEVEL = np.array([1.0, 0.5, 0.22])


def speech_like(mouth_open: Sequence[float], rate: int = 48000, frames_per_second: float = 25.0) -> NDArray[np.float32]:
    """Harmonics of a gliding voice, shaped by three formants that rise as the mouth opens.

    Args:
        mouth_open: 0..1 per frame of the clip.
        rate: samples a second.
        frames_per_second: of the clip.

    Returns:
        (N,) float32 mono, as long as the clip; peak PEAK, silent where the mouth is shut.
    """
    curve = np.asarray(mouth_open, np.float64)
    count = round(len(curve) / frames_per_second * rate)
    seconds = np.arange(count) / rate
    opening = np.interp(seconds * frames_per_second - 0.5, np.arange(len(curve)), curve)

    # Pitch: falls slowly through each two seconds, with a little vibrato, higher on open syllables.
    pitch_hz = 178 + 22 * opening + 12 * np.cos(np.pi * (seconds % 2.0) / 2.0) + 2.5 * np.sin(2 * np.pi * 5.3 * seconds)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate
    formants_hz = _CLOSED_HZ + opening[:, None] * (_OPEN_HZ - _CLOSED_HZ)
    sound = np.zeros(count)
    for harmonic in range(1, 18):
        away = (harmonic * pitch_hz[:, None] - formants_hz) / _WIDTH_HZ
        strength = (_LEVEL / (1 + away**2)).sum(1) / harmonic**0.4
        sound += strength * np.sin(harmonic * phase)
    breath = np.random.default_rng(0).standard_normal(count) * 0.04
    sound = (sound + breath) * np.clip(opening / 0.35, 0, 1) ** 1.2
    peak = np.abs(sound).max(initial=0.0)
    return np.asarray(sound * (PEAK / peak) if peak > 0 else sound, np.float32)
