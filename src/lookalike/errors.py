"""Every error a user can act on, on one page.

LookalikeError         one line, no traceback, exit 1
  ConfigError          a wrong option (also a ValueError), exit 2
  WorkspaceError       a folder that is not a workspace, is locked, or lacks an earlier step
  VideoError           VideoOpenError, NoVideoStreamError, EncoderError
  FaceError            NoFaceError, PersonNotFoundError, EditsError
  WeightsError         a pretrained network that is not there, damaged, or cannot be fetched
  ExtraMissingError    an optional package that is not installed
  FacesetError         EmptyFacesetError, RecordError
  CheckpointError      a model that cannot be read or does not fit
  StorageError         the disk is full or refuses to be written
  CredentialsError     a file cannot be signed, or its credentials cannot be read
  ConsentError         a record of consent is missing, over, or for other material
  ContentError         a video is refused for what it shows
  ProtectionError      a disguised person could still be recognised
  ForeignFileError     a file of another tool is damaged, too large, or holds what is not read
"""


class LookalikeError(Exception):
    """Base of every error a user can act on; its text is one line: what was found, what to do."""


class ConfigError(LookalikeError, ValueError):
    """An option has a value that cannot be used."""


class WorkspaceError(LookalikeError):
    """A folder is not a workspace, is in use, or an earlier step is missing."""


class VideoError(LookalikeError):
    """Something is wrong with a video."""


class VideoOpenError(VideoError):
    """A file is missing, is no video, or cannot be read."""


class NoVideoStreamError(VideoError):
    """A file can be read but has no picture track."""


class EncoderError(VideoError):
    """A video cannot be written with the settings given."""


class FaceError(LookalikeError):
    """Something is wrong with the faces found."""


class NoFaceError(FaceError):
    """A video has no face in it."""


class PersonNotFoundError(FaceError):
    """The person of a reference picture is not in the video."""


class EditsError(FaceError):
    """A file of boxes or landmarks cannot be used."""


class WeightsError(LookalikeError):
    """The weights of a pretrained network are missing, damaged, or cannot be fetched."""


class ExtraMissingError(LookalikeError):
    """An optional package is needed and not installed."""


class FacesetError(LookalikeError):
    """Something is wrong with a folder of aligned faces."""


class EmptyFacesetError(FacesetError):
    """A faceset has no faces."""


class RecordError(FacesetError):
    """A face image has no readable record."""


class CheckpointError(LookalikeError):
    """A model on disk cannot be read or does not fit the options given."""


class StorageError(LookalikeError):
    """The disk is full or refuses to be written."""


class CredentialsError(LookalikeError):
    """A file cannot be signed, or its credentials cannot be read."""


class ConsentError(LookalikeError):
    """A record of consent is missing, over, withdrawn, or for other material."""


class ContentError(LookalikeError):
    """A video is refused for what it shows."""


class ProtectionError(LookalikeError):
    """A disguised person could still be recognised."""


class ForeignFileError(LookalikeError):
    """A file of another tool is damaged, larger than is read, or holds what is never read, such as code."""


class ClusterError(LookalikeError):
    """Work cannot be shared out: no cluster, no worker left, or one that dies again and again."""


class ExportError(LookalikeError):
    """Something of ours cannot be said in another tool's format."""


class BatchError(LookalikeError):
    """A job of a batch failed, or the batch cannot be begun."""
