"""``brinkwatch extract`` with the engine of ``poison_engine``; settings come from the environment."""

from config.settings import load_settings
from pipeline.cli.common import set_up_logging
from pipeline.cli.extract import serve
from pipeline.extraction.sandbox import Sandbox

if __name__ == "__main__":
    settings = load_settings()
    set_up_logging(settings)
    serve(settings, lambda: Sandbox(settings, "poison_engine"))
