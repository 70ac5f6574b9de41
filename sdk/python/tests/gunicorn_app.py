"""What gunicorn loads: the service that the environment describes."""

import json
import os

import services

app = services.flask_service(**json.loads(os.environ["SERVICE"]))
