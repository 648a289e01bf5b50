"""An API of one's own, with facemon's metrics and one that only this API has, on one page.

    $ uvicorn own_api:app --app-dir examples
    $ curl --data-binary @photo.jpg http://127.0.0.1:8000/cameras/entrance/predict
    $ curl http://127.0.0.1:8000/metrics

It needs facemon[serve]. The model and the store are those of the facemon.yaml in the current folder, if there is one.
"""

from prometheus_client import Counter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import facemon

CAMERAS = ("entrance", "exit")
LARGEST_BODY = 16 * 1024 * 1024

monitor = facemon.Monitor()

camera_images = Counter("camera_images", "Images by camera and by what became of them.", ["camera", "outcome"])


async def predict(request: Request) -> Response:
    """Predict and log the image in the body."""
    camera = request.path_params["camera"]
    if camera not in CAMERAS:
        # Neither is counted: clients must not create series.
        return JSONResponse({"error": f"there is no camera {camera}"}, 404)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            return JSONResponse({"error": "the image is too large"}, 413)
    rows = await run_in_threadpool(monitor.predict, [("upload", bytes(body))], source=camera, threads=1)
    outcome = rows.column("error")[0].as_py() or "predicted"
    camera_images.labels(camera=camera, outcome=outcome).inc()
    attributes = [attribute.name for attribute in monitor.config.model.attributes if attribute.classes]
    return JSONResponse({"outcome": outcome, "faces": rows.select(attributes).to_pylist()})


api = Starlette(routes=[Route("/cameras/{camera}/predict", predict, methods=["POST"])])
app = facemon.instrument(api, config=monitor.config)
