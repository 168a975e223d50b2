"""What gunicorn loads: the application of tests/support/flask_app.py."""

from tests.support.flask_app import create_app

app = create_app()
