"""`report.json`: what the result is like, in numbers. Imports no numpy."""

from typing import Annotated, Literal

from pydantic import Field

from lookalike.options import Options

FORMAT = 1
PSNR_CAP = 100.0
"""Decibels that stand for "nothing differs", where the true figure has no end."""

Kind = Literal["worst landmarks", "worst identity", "best"]


class FrameCounts(Options):
    """Whether every frame of dst is in the result, at its time."""

    dst: int
    """Frames decoded from the dst video."""
    result: int
    """Frames decoded from the result."""
    lost: int
    """dst minus result; negative when the result has more."""
    times_agree: bool
    """Every presentation time of the result is dst's to within a millisecond."""
    max_time_difference_ms: float
    """Largest difference of presentation times of frames with the same number, in milliseconds."""
    with_face: int
    """Frames of dst that have a face in its faceset; the first face of each is measured."""
    face_found: int
    """Frames of those in which a face is found in the result, overlapping dst's box by at least 0.3."""


class IdentityFigures(Options):
    """Whom the result looks like: distances of dlib embeddings; below 0.6 is taken for one person.

    Values are None when nothing could be measured.
    """

    measured: int
    """Frames measured, spread evenly over those with a face."""
    nearer_to_src: float | None = None
    """Share of measured frames whose face is nearer to src than to dst, 0..1."""
    result_to_src: float | None = None
    """Mean distance of the result's faces to the mean embedding of src's faceset."""
    result_to_dst: float | None = None
    """Mean distance of the result's faces to the mean embedding of dst's faceset."""
    means_apart: float | None = None
    """Distance between the two mean embeddings: how unlike src and dst are."""
    dst_measured: int = 0
    """Frames, of those measured, in which dst's own face was embedded for reference."""
    dst_to_src: float | None = None
    """Mean distance of dst's own faces to src's mean embedding."""
    dst_to_dst: float | None = None
    """Mean distance of dst's own faces to dst's mean embedding."""


class LandmarkFigures(Options):
    """How far the result's landmarks lie from dst's, in dst's eye distances. None when no face was found."""

    measured: int
    """Frames measured."""
    mean: float | None = None
    """Mean over frames of the mean over 68 landmarks."""
    p95: float | None = None
    """95th percentile over frames."""
    jaw: float | None = None
    """Mean over landmarks 0 to 16."""
    brows: float | None = None
    """Mean over landmarks 17 to 26."""
    nose: float | None = None
    """Mean over landmarks 27 to 35."""
    eyes: float | None = None
    """Mean over landmarks 36 to 47."""
    mouth: float | None = None
    """Mean over landmarks 48 to 67."""


class Correlation(Options):
    """Whether something moves in the result as it does in dst."""

    measured: int
    """Frames compared."""
    value: float | None = None
    """Pearson correlation over time, -1..1; 0 when the result does not move at all; None when it says nothing."""
    dst_deviation: float | None = None
    """Standard deviation in dst, in the unit of what is measured."""
    note: str = ""
    """Why there is no value."""


class MotionFigures(Options):
    """Expression over time."""

    mouth: Correlation
    """Gap between the lips over the eye distance."""
    eyes: Correlation
    """Height over width of the eyes."""
    gaze: Correlation
    """Place of the irises between the eye corners, 0 left to 1 right, in frames where both have open eyes."""


class OutsideFigures(Options):
    """What changed outside the faces' ovals (and two pixels around them): the encoder's loss, and nothing else.

    Decibels against 255, on 8-bit codes; at most 100, which stands for no difference. None when nothing was compared.
    """

    luma_psnr: float | None = None
    """From the mean squared error of luma over all frames."""
    luma_psnr_worst: float | None = None
    """Of the worst frame."""
    luma_worst_frame: int | None = None
    """Number of that frame, from 0."""
    chroma_psnr: float | None = None
    """From the mean squared error of Cb and Cr; None also when the two videos sample chroma differently."""
    chroma_psnr_worst: float | None = None
    """Of the worst frame."""


class InsideFigures(Options):
    """What the drawn face is like, in crops cut out by dst's matrices. None when dst gives nothing to compare with."""

    crop_size: int
    """Side of the crops in pixels: about that of the usual face in the frame."""
    sharpness: float | None = None
    """Median over frames of the Laplacian's standard deviation, result over dst; below 1 is softer."""
    flicker: float | None = None
    """Median over frames of the mean |x[t-1] - 2 x[t] + x[t+1]| of luma, result over dst; above 1 flickers more."""
    border: float | None = None
    """Median over frames of the CIE Lab distance between result and dst in a ring just inside the oval's edge."""


class StepTime(Options):
    """What a step of the pipeline noted."""

    step: str
    """Its name, e.g. extract_src."""
    seconds: float | None = None
    """Wall time; None where it was not noted."""
    iterations: int | None = None
    """Optimizer steps, of training."""


class Example(Options):
    """A picture of one frame, dst on the left and the result on the right."""

    file: str
    """Name in the report's folder."""
    kind: Kind
    """Why it was chosen."""
    frame: int
    """Number, from 0."""
    seconds: float
    """Presentation time."""
    landmark_error: float | None = None
    """In eye distances; None when no face was found in the result."""
    to_src: float | None = None
    """Distance of its embedding to src's mean."""
    to_dst: float | None = None
    """Distance of its embedding to dst's mean."""


class Report(Options):
    """Everything that the report says of a result."""

    format: int = FORMAT
    version: str
    """Of Lookalike."""
    src: str
    """File name of the src video."""
    dst: str
    """File name of the dst video."""
    result: str
    """File name of the result."""
    frames: FrameCounts
    identity: IdentityFigures
    landmarks: LandmarkFigures
    motion: MotionFigures
    outside: OutsideFigures
    inside: InsideFigures
    steps: list[StepTime] = Field(default_factory=list)
    """In the order of the pipeline; only those that were done."""
    examples: list[Example] = Field(default_factory=list)
    """Worst frames first."""
    strip: str | None = None
    """Picture of evenly spaced faces, dst above and the result below; its name in the report's folder."""
    strip_frames: list[Annotated[int, Field(ge=0)]] = Field(default_factory=list)
    """Numbers of its frames."""
    notes: list[str] = Field(default_factory=list)
    """What could not be measured, and why."""
