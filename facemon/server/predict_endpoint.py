"""POST /predict, as plain ASGI: who may ask, what is read, and what is answered."""

import json
import re
from collections.abc import Sequence
from urllib.parse import parse_qs

from facemon.config.serving import ApiConfig
from facemon.domain.prediction import ErrorCode
from facemon.server.arriving_bodies import ArrivalLimits, ArrivingBodies
from facemon.server.asgi import Receive, Scope, Send
from facemon.server.bearer_tokens import BearerTokens
from facemon.server.image_answers import Answer
from facemon.server.images_in_flight import ImagesInFlight
from facemon.server.live_predictions import LivePredictions
from facemon.server.refusal import Refused, refuse, send_json, send_refusal
from facemon.server.request_images import SentImage, read_images
from facemon.server.source_names import SourceNames

_LONGEST_SOURCE = 200
_HALF_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_STATUS_OF = {ErrorCode.TOO_LARGE: 413, ErrorCode.UNREADABLE: 422, ErrorCode.TOO_SLOW: 422}
_FAILED = Refused(500, "the prediction failed; the server's log says why")


class PredictEndpoint:
    """The predictions of the images of a request."""

    def __init__(
        self,
        config: ApiConfig,
        predictions: LivePredictions,
        in_flight: ImagesInFlight,
        sources: SourceNames,
        tokens: BearerTokens | None,
    ) -> None:
        self._config = config
        self._predictions = predictions
        self._tokens = tokens
        self._in_flight = in_flight
        self._sources = sources
        self._arriving = ArrivingBodies(_arrival_limits(config))

    def follow(self, config: ApiConfig, tokens: BearerTokens | None) -> None:
        """Hold the next requests to other limits and tokens."""
        self._config, self._tokens = config, tokens
        self._arriving.hold_to(_arrival_limits(config))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what goes wrong inside is raised once its sender knows."""
        try:
            body = await self._predicted(scope, receive)
        except Refused as refused:
            await send_refusal(scope, send, refused)
        except Exception:
            await send_refusal(scope, send, _FAILED)
            raise
        else:
            await send_json(send, 200, body)

    async def _predicted(self, scope: Scope, receive: Receive) -> bytes:
        if self._tokens is not None and not self._tokens.allow(_authorization(scope)):
            message = "send Authorization: Bearer with a token of this server"
            refuse(401, message, (b"www-authenticate", b"Bearer"))
        source = _source(scope["query_string"])
        # Before the body is read, which costs time and memory; no slot is taken yet, so a slow body holds none.
        self._in_flight.check()
        images = await read_images(scope, receive, self._config, self._arriving)
        size = sum(len(image.content) for image in images)
        self._in_flight.enter(len(images), size)
        try:
            answers = await self._answers(images, self._sources.logged_as(source, len(images)))
        finally:
            self._in_flight.leave(len(images), size)
        if all(answer.error is not None for answer in answers):
            first = answers[0]
            refuse(_STATUS_OF.get(first.error or ErrorCode.NAN, 500), first.message)
        return _document(images, answers).encode()

    async def _answers(self, images: Sequence[SentImage], source: str | None) -> list[Answer]:
        if len(images) == 1:
            return [await self._predictions.answer(images[0].content, source)]
        return await self._predictions.answers([image.content for image in images], source)


def _authorization(scope: Scope) -> str:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(b"authorization", b"").decode("latin-1")


def _arrival_limits(config: ApiConfig) -> ArrivalLimits:
    return ArrivalLimits(
        bodies=min(config.max_arriving, max(1, config.max_connections // 2)),  # others need connections too
        size=max(config.max_arriving_bytes, config.max_body),
        body_size=config.max_body,
        seconds=config.timeout.total_seconds(),
    )


def _document(images: Sequence[SentImage], answers: Sequence[Answer]) -> str:
    """All rows in the order of the images; of several images also which rows are whose."""
    rows = ", ".join(row for answer in answers for row in answer.rows)
    if len(images) == 1:
        return f'{{"predictions": [{rows}]}}'
    parts, first = [], 0
    for image, answer in zip(images, answers, strict=True):
        parts.append({"name": image.name, "first": first, "rows": len(answer.rows)})
        first += len(answer.rows)
    return f'{{"predictions": [{rows}], "images": {json.dumps(parts, ensure_ascii=False)}}}'


def _source(query: bytes) -> str | None:
    if not query:
        return None
    if _HALF_ESCAPE.search(query):
        refuse(400, "the query has a % without two hexadecimal digits after it: write it as %25")
    try:
        given = parse_qs(query.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        refuse(400, "the query is not UTF-8")
    source = given.get("source", [None])[-1]
    if source is not None and not (source.strip() and source.isprintable() and len(source) <= _LONGEST_SOURCE):
        refuse(400, f"source must be a name of at most {_LONGEST_SOURCE} printable characters")
    return source
