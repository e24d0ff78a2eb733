import pytest
from click.testing import CliRunner, Result
from toy_study import TOY

from myoloop.cli import main
from myoloop.studies import STUDIES


@pytest.fixture
def myoloop(monkeypatch, tmp_path):
    """Run a command line in an empty folder, with the toy study among the studies."""
    monkeypatch.setitem(STUDIES, "toy", TOY)
    monkeypatch.chdir(tmp_path)

    def run(*args: str) -> Result:
        return CliRunner().invoke(main, [str(arg) for arg in args])

    return run
