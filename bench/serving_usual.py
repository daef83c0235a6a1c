"""The yardsticks of bench/serving.py: the usual service written by hand, and an echo.

Run as `python bench/serving_usual.py w1|w2|echo|plain-echo PORT`.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import uvicorn


def echo(port: int) -> None:
    """Our own HTTP stack, that only parses the JSON and writes it again."""
    import asyncio

    import orjson

    from modelwright.serve.app import App
    from modelwright.serve.http import Server, bound
    from modelwright.serve.replica import loop_factory
    from modelwright.serve.settings import DeploymentSettings

    class Echo:
        settings = DeploymentSettings()
        all_at_once = None

        @property
        def lane(self) -> Echo:
            return self

        def at_once(self, body: bytes) -> bytes:
            reply: bytes = orjson.dumps(orjson.loads(body))
            return reply

        async def answer(self, body: bytes, shape: object) -> bytes:
            return self.at_once(body)

    app = App("echo")
    app.live = cast("Any", Echo())
    listener = bound("127.0.0.1", port)
    listener.listen(2048)
    gc.set_threshold(50_000, 20, 20)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(Server(app).serve(sockets=[listener]))


def plain_echo() -> Any:
    """An ordinary application on the same server and parser, that does the same."""
    import orjson

    async def app(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        reply = orjson.dumps(orjson.loads(body))
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(reply))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

    return app


def usual(workload: str) -> Any:
    """FastAPI, pandas and scikit-learn, as one writes it."""
    import pandas as pd
    from fastapi import FastAPI

    predict = _cars() if workload == "w1" else _trees()
    app = FastAPI()

    @app.post("/score")
    def score(request: dict[str, Any]) -> dict[str, Any]:
        frame = pd.DataFrame(request["Inputs"]["WebServiceInput0"])
        return {"Results": {"WebServiceOutput0": predict(frame).to_dict(orient="records")}}

    return app


def _cars() -> Any:
    import pandas as pd
    from bench.serving_workloads import CARS, LABEL, UNUSED
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    cars = pd.read_csv(CARS, na_values="?").drop(columns=UNUSED).dropna()
    texts = [c for c in cars if not pd.api.types.is_numeric_dtype(cars[c])]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), texts), remainder=StandardScaler()
    )
    # The scaling, the penalty and the solver of the other side's learner.
    model = make_pipeline(encode, Ridge(alpha=1.0, solver="cholesky"))
    model.fit(cars.drop(columns=LABEL), cars[LABEL])

    def predict(frame: Any) -> Any:
        kept = frame.drop(columns=UNUSED).dropna()
        return kept.assign(**{"Scored Labels": model.predict(kept)})

    return predict


def _trees() -> Any:
    from bench.serving_workloads import boosted

    model = boosted()

    def predict(frame: Any) -> Any:
        return frame.assign(**{"Scored Labels": model.predict(frame)})

    return predict


if __name__ == "__main__":
    what, port = sys.argv[1], int(sys.argv[2])
    if what == "echo":
        echo(port)
        raise SystemExit
    uvicorn.run(
        plain_echo() if what == "plain-echo" else usual(what),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
