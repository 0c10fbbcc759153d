"""What a face does: 52 coefficients, from smile to blink, by MediaPipe's blendshape network."""

from importlib.resources import files
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.mesh import _LEFT_EYE_OUTER, _RIGHT_EYE_OUTER, _silent_stderr

EXPRESSIONS = (
    "_neutral",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""What each coefficient stands for; left and right are the person's own."""

_POINTS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251,
    263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318,
    321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)  # fmt: skip
"""The mesh points that the network reads. Source: MediaPipe's face_blendshapes_graph."""


class Expression:
    """Reads the expression off a mesh; no pixels are needed. Safe to call from several threads.

    Source: the blendshape network of MediaPipe's Face Landmarker v2 (Apache-2.0), run by LiteRT.
    """

    def __init__(self) -> None:
        from ai_edge_litert.interpreter import Interpreter  # 0.2 s: only when expressions are asked for

        weights = (files("lookalike.faces") / "weights" / "face_blendshapes.tflite").read_bytes()
        with _silent_stderr():
            self._net = Interpreter(model_content=weights, num_threads=1)
            self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._output = self._net.get_output_details()[0]["index"]
        self._lock = Lock()

    def of(self, mesh: NDArray[np.floating]) -> NDArray[np.float32]:
        """(52,) float32, each about 0..1, in the order of EXPRESSIONS; all 0 where the points coincide.

        Args:
            mesh: (478, 2) in pixels of any square-pixel picture, x right and y down. Place, scale and roll do not
                matter: the network itself does not see the first two, and the head is set upright before it looks.

        Raises:
            ValueError: not (478, 2).
        """
        if np.shape(mesh) != (478, 2):
            raise ValueError(f"mesh must be (478, 2), got {np.shape(mesh)}")
        points = _upright(np.asarray(mesh, np.float64))[None, _POINTS].astype(np.float32)
        with self._lock:
            self._net.set_tensor(self._input, np.ascontiguousarray(points))
            self._net.invoke()
            found = np.array(self._net.get_tensor(self._output), np.float32)
        return np.nan_to_num(found)


def _upright(mesh: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points turned about their centre until the eyes lie level.

    The network alone takes a roll for a grimace: turned by 20 degrees, coefficients of a talking face changed by up to
    0.08.
    """
    right, down = mesh[_LEFT_EYE_OUTER] - mesh[_RIGHT_EYE_OUTER]
    length = float(np.hypot(right, down))
    if length < 1e-6:
        return mesh
    turn = np.array([[right, -down], [down, right]]) / length
    centre = mesh.mean(0)
    return np.asarray((mesh - centre) @ turn + centre)
