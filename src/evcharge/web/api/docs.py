"""The published description of the API."""

from flask import Blueprint, Flask, Response
from pydantic_core import to_json

from evcharge.web.api.openapi import openapi
from evcharge.web.api.operations import Api
from evcharge.web.context import public
from evcharge.web.shell import limiter


def install(app: Flask, apis: tuple[Api, ...]) -> None:
    """Publish what these offer. It cannot change while the program runs."""
    document = to_json(openapi([each for api in apis for each in api.operations]))
    blueprint = Blueprint("api_docs", __name__, url_prefix="/api")
    limiter.exempt(blueprint)

    @blueprint.get("/v1/openapi.json")
    @public
    def openapi_json() -> Response:
        return Response(document, mimetype="application/json")

    app.register_blueprint(blueprint)
