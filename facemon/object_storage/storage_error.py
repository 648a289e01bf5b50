"""What can go wrong with object storage, in words of our own: the library's repeat addresses, answers and settings."""

import errno
import os
import re
from enum import Enum, auto

from facemon.object_storage.location import Location, Storage


class Trouble(Enum):
    """Kinds of trouble, by what they say of other objects."""

    MISSING = auto()
    """There is no such object."""
    NO_BUCKET = auto()
    DENIED = auto()
    """The credentials are known, and may not do this."""
    CREDENTIALS = auto()
    """There are none, or they are not accepted."""
    SETTINGS = auto()
    """The region, the endpoint or another setting of the environment is wrong."""
    UNREACHABLE = auto()
    """The storage does not answer, or only with errors of its own, also when it is asked again."""
    CUT_OFF = auto()
    """The body of an answer ended early, also when it was asked for again."""
    ODD_KEY = auto()
    """A listing holds a key that cannot be asked for."""
    OTHER = auto()


class StorageError(Exception):
    """Trouble with an object, a bucket or a storage: what to say of it after the address, and what to do."""

    def __init__(self, trouble: Trouble, what: str, hint: str) -> None:
        super().__init__(trouble, what, hint)
        self.trouble = trouble
        self.what = what
        self.hint = hint


VARIABLES = {Storage.S3: "AWS_", Storage.GOOGLE: "GOOGLE_", Storage.AZURE: "AZURE_"}
"""How the names begin of the variables of the environment that a storage is set up by."""
_CREDENTIALS = {
    Storage.S3: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN); profiles in ~/.aws are not read",
    Storage.GOOGLE: "GOOGLE_APPLICATION_CREDENTIALS to the path of a key file",
    Storage.AZURE: "AZURE_STORAGE_ACCOUNT_NAME, and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_PLACES = {
    Storage.S3: "AWS_REGION, AWS_ENDPOINT_URL",
    Storage.GOOGLE: "the project of the credentials",
    Storage.AZURE: "AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ENDPOINT",
}
"""What decides where a bucket is looked for."""

_SYSTEM = re.compile(r"\(os error (\d+)\)")
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,80})</Code>")
_ODD_PATH = re.compile(r'Path "(.{1,200}?)"', re.DOTALL)
_CREDENTIAL_SERVER = re.compile(
    r"performing [A-Z]+ https?://(169\.254\.\d+\.\d+|\[?fd00:ec2::254|metadata\.google|sts\.|login\.microsoftonline|"
    r"[^/ ]+/latest/(api|meta-data)/)"
)
_TOKEN_REQUEST = re.compile(r"Generic \w+ error: Error performing token request")
_CERTIFICATE = re.compile(r"\bInvalidCertificate\(\s*(\w{1,80})")
"""Only what Rust shows of an error's causes says this."""
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "FilesystemNotFound")
_UNACCEPTED = (
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired",
    "RequestTimeTooSkewed", "AuthenticationFailed", "InvalidAuthenticationInfo", "InvalidSecurity",
)  # fmt: skip
"""Codes of S3, Google and Azure for credentials that are not accepted."""
_ELSEWHERE = ("AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException")
_ARCHIVED = ("InvalidObjectState", "BlobArchived")
_DENIED = (401, 403)
_NOT_IMPLEMENTED = 501
_TOO_MANY, _SERVER_ERRORS = 429, 500
_AGAIN = "check the network, and run again"


def storage_error(
    error: BaseException, location: Location, *, is_opening: bool = False, is_writing: bool = False
) -> StorageError:
    """Return what an error of the library means; of its text only a status and a storage's code are repeated.

    `is_opening` says that nothing was asked yet: then it is about what the environment says. `is_writing` says that an
    object was to be written or removed.
    """
    text, _, causes = str(error).partition("\n\nDebug source")
    status = int(found[1]) if (found := _STATUS.search(text)) else None
    code = found[1] if (found := _CODE.search(text)) else ""
    if is_opening:
        return _of_settings(text, location.storage)
    if _CREDENTIAL_SERVER.search(text) or _TOKEN_REQUEST.match(text):
        return _no_credentials(location.storage)
    if fault := _CERTIFICATE.search(causes):
        return _unknown_certificate(fault[1], location.storage)
    known = _of_code(code, location) or _of_text(type(error).__name__, text, location)
    if known is None and is_writing and (status in _DENIED or status == _NOT_IMPLEMENTED):
        return _unwritable() if status in _DENIED else unconditional(f"it answers with {status}")
    return known or _of_status(status, code, location.storage)


def _of_settings(text: str, storage: Storage) -> StorageError:
    if "Account must be specified" in text:
        return _no_credentials(storage)
    prefix = VARIABLES[storage]
    return StorageError(
        Trouble.SETTINGS,
        f"what the variables {prefix}… say cannot be used",
        f"correct them: env | grep -o '^{prefix}[^=]*' lists their names, and not the secrets",
    )


def _of_code(code: str, location: Location) -> StorageError | None:
    if code in _NO_BUCKET:
        return StorageError(
            Trouble.NO_BUCKET, f"there is no {_bucket(location)} {location.bucket}",
            f"correct the bucket's name or where facemon looks for it: {_PLACES[location.storage]}",
        )  # fmt: skip
    if code in _UNACCEPTED:
        return StorageError(
            Trouble.CREDENTIALS, f"the storage does not accept the credentials ({code})",
            f"renew them: set {_CREDENTIALS[location.storage]}",
        )  # fmt: skip
    if code in _ARCHIVED:
        return StorageError(Trouble.OTHER, f"the object is archived ({code})", "restore it, and run --retry-failed")
    return _wrong_region(location) if code in _ELSEWHERE else None


def _of_text(kind: str, text: str, location: Location) -> StorageError | None:
    if kind == "FileNotFoundError":
        return StorageError(Trouble.MISSING, "no such object", "correct the address")
    if kind == "InvalidPathError":
        key = found[1] if (found := _ODD_PATH.search(text)) else "…"
        return StorageError(
            Trouble.ODD_KEY, f"the listing holds the key {key!r}, which cannot be asked for",
            "rename that object, name the prefixes beside it, or list the images in a manifest",
        )  # fmt: skip
    if "redirect without LOCATION" in text:
        return _wrong_region(location)
    if text.endswith("builder error"):
        return StorageError(
            Trouble.SETTINGS, "its endpoint begins with http://, which is not encrypted",
            f"set it to https://…, or set {VARIABLES[location.storage]}ALLOW_HTTP=true",
        )  # fmt: skip
    if text.endswith("response body error"):
        return StorageError(Trouble.CUT_OFF, "the answer was cut off, also when it was asked for again", _AGAIN)
    return None


def _of_status(status: int | None, code: str, storage: Storage) -> StorageError:
    if status is None:
        return StorageError(
            Trouble.UNREACHABLE, "the storage does not answer, also when it is asked again",
            f"check the network (HTTPS_PROXY too), and what says where it is looked for: {_PLACES[storage]}",
        )  # fmt: skip
    answer = f"the storage answers with {status}" + (f" ({code})" if code else "")
    if status in _DENIED:
        return StorageError(
            Trouble.DENIED, "permission to read it is denied", "let the credentials list the bucket and get its objects"
        )
    if status >= _SERVER_ERRORS or status == _TOO_MANY:
        return StorageError(Trouble.UNREACHABLE, f"{answer}, also when it is asked again", _AGAIN)
    return StorageError(Trouble.OTHER, f"{answer}", "look for the request in the log of the storage")


def unconditional(how: str) -> StorageError:
    """Return the error of a storage that cannot create an object only if it is absent; `how` it showed that."""
    return StorageError(
        Trouble.SETTINGS, f"the storage cannot create an object only if it is absent: {how}",
        "use a storage with conditional writes (If-None-Match), such as Amazon's, Google's or Azure's, or a shared "
        "file system (file:///)",
    )  # fmt: skip


def of_files(error: BaseException, *, is_writing: bool) -> StorageError:
    """Return what an error of the library means that a file system gave."""
    text = str(error).split("\n\nDebug source", 1)[0]
    number = int(found[1]) if (found := _SYSTEM.search(text)) else None
    if isinstance(error, FileNotFoundError) or number == errno.ENOENT:
        return StorageError(Trouble.MISSING, "no such file or folder", "correct the address")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        does = "write" if is_writing else "read"
        return StorageError(
            Trouble.DENIED, f"permission to {does} there is denied", f"let the user of this command {does} the folder"
        )
    reason = os.strerror(number).lower() if number is not None else "the file system fails"
    return StorageError(Trouble.OTHER, reason, "correct that, and run again")


def _unwritable() -> StorageError:
    return StorageError(
        Trouble.DENIED, "permission to write there is denied",
        "let the credentials put, get, list and delete objects below this address",
    )  # fmt: skip


def _no_credentials(storage: Storage) -> StorageError:
    return StorageError(
        Trouble.CREDENTIALS, "the environment holds no credentials, and this machine has none of its own",
        f"set {_CREDENTIALS[storage]}",
    )  # fmt: skip


def _unknown_certificate(fault: str, storage: Storage) -> StorageError:
    return StorageError(
        Trouble.SETTINGS, f"the TLS certificate of the storage is not accepted ({fault})",
        f"set SSL_CERT_FILE to the certificate of its authority, or correct {_PLACES[storage]}",
    )  # fmt: skip


def _wrong_region(location: Location) -> StorageError:
    return StorageError(
        Trouble.SETTINGS, f"the {_bucket(location)} {location.bucket} is in another region",
        "set AWS_REGION to the region of the bucket",
    )  # fmt: skip


def _bucket(location: Location) -> str:
    return "container" if location.storage is Storage.AZURE else "bucket"
