"""Several seeds side by side."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from devices import Chain, Delay, fake_nextpnr, mapped

from lgn_hdl.errors import BuildError
from lgn_hdl.flow import FitError, RouteError, TimingError, best_of_seeds, place_and_route
from lgn_hdl.flow.parallel import Task, run_parallel


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A design whose speed depends on where things lie."""
    return mapped(Chain(length=300), "icebreaker", tmp_path_factory.mktemp("chain"))


def children(folder: Path) -> list[int]:
    """Processes that run in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "cwd")).is_relative_to(folder):
                found.append(int(process.name))
        except OSError:
            continue  # it has just ended
    return found


def assert_nothing_runs_in(folder: Path) -> None:
    """A process that was killed may take a moment to be gone; those here would run for minutes."""
    deadline = time.monotonic() + 5
    while children(folder) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert children(folder) == []


def test_the_fastest_is_kept_and_all_are_told(chain, tmp_path):
    board, files, netlist = chain
    found = best_of_seeds(netlist, board, files, tmp_path, seeds=4, jobs=2)
    assert [run.seed for run in found.runs] == [1, 2, 3, 4]
    speeds = [run.achieved_mhz for run in found.runs]
    assert len(set(speeds)) > 1
    assert found.best.achieved_mhz == max(speeds)
    assert found.best.seed == 1 + speeds.index(max(speeds))
    assert found.best.files["layout"].exists()
    assert all(run.problem == "" and run.seconds > 0 for run in found.runs)
    # The same as one by one.
    alone = place_and_route(netlist, board, files, tmp_path / "alone", seed=found.best.seed)
    assert alone.achieved_mhz == found.best.achieved_mhz
    assert alone.files["layout"].read_bytes() == found.best.files["layout"].read_bytes()


def test_too_slow_for_every_seed(chain, tmp_path):
    board, files, netlist = chain
    with pytest.raises(TimingError, match=r"not the 900\.00 MHz") as caught:
        best_of_seeds(netlist, board, files, tmp_path, seeds=[5, 7], clock_mhz=900)
    fastest = caught.value.result
    found = best_of_seeds(
        netlist, board, files, tmp_path, seeds=[5, 7], clock_mhz=900, must_close=False
    )
    assert fastest is not None
    assert fastest.achieved_mhz == found.best.achieved_mhz
    assert [run.seed for run in found.runs] == [5, 7]


def test_a_seed_that_fails_is_told(chain, tmp_path, monkeypatch):
    board, files, netlist = chain
    body = 'case "$*" in *"--seed 2"*) echo "ERROR: no way"; exit 1;; esac\nreal "$@"'
    fake_nextpnr(tmp_path, monkeypatch, body)
    found = best_of_seeds(netlist, board, files, tmp_path, seeds=3)
    assert [run.problem for run in found.runs] == ["", "ERROR: no way", ""]
    assert found.runs[1].achieved_mhz is None
    assert found.best.seed in (1, 3)


def test_all_failing_is_an_error(chain, tmp_path, monkeypatch):
    board, files, netlist = chain
    body = 'case "$*" in *--asc*) echo "ERROR: no way"; exit 1;; esac\nreal "$@"'
    fake_nextpnr(tmp_path, monkeypatch, body)
    match = "is placed, but does not route: seed 1: ERROR: no way, seed 2: ERROR: no way"
    with pytest.raises(RouteError, match=match):
        best_of_seeds(netlist, board, files, tmp_path, seeds=2)


def test_out_of_time_leaves_nothing_behind(chain, tmp_path, monkeypatch):
    board, files, netlist = chain
    fake_nextpnr(tmp_path, monkeypatch, 'case "$*" in *--asc*) sleep 60;; esac\nreal "$@"')
    with pytest.raises(RouteError, match="no seed was done in time"):
        best_of_seeds(netlist, board, files, tmp_path, seeds=2, timeout=4)
    assert_nothing_runs_in(tmp_path)


def test_too_large_is_told_before_any_seed(tmp_path):
    board, files, netlist = mapped(Delay(length=6000), "icebreaker", tmp_path)
    with pytest.raises(FitError, match="ICESTORM_LC 6,0"):
        best_of_seeds(netlist, board, files, tmp_path, seeds=50)
    assert not list((tmp_path / "pnr").glob("seed*"))


@pytest.mark.parametrize(("options", "match"), [({"seeds": 0}, "seeds"), ({"jobs": 0}, "jobs")])
def test_nonsense_is_refused(chain, tmp_path, options, match):
    board, files, netlist = chain
    with pytest.raises(BuildError, match=match):
        best_of_seeds(netlist, board, files, tmp_path, **options)


def sleeper(tmp_path, name, seconds=60):
    # A shell with a child of its own.
    return Task(["sh", "-c", f"sleep {seconds} & wait"], tmp_path, tmp_path / name)


def test_interrupted_it_ends_what_it_started(tmp_path):
    """As by Ctrl-C: the programs have a session of their own, so the signal misses them."""
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        while len(children(tmp_path)) < 2:
            time.sleep(0.01)
        signal.pthread_kill(main, signal.SIGINT)

    # A shell that starts the tests in the background lets them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_parallel([sleeper(tmp_path, "a"), sleeper(tmp_path, "b")], jobs=2)
    finally:
        signal.signal(signal.SIGINT, before)
    thread.join()
    assert_nothing_runs_in(tmp_path)


def test_side_by_side_and_in_order(tmp_path):
    tasks = [
        Task(["sh", "-c", f"echo {n}; exit {n}"], tmp_path, tmp_path / str(n)) for n in range(5)
    ]
    ended = run_parallel(tasks, jobs=3)
    assert [end.status for end in ended] == list(range(5))
    assert [(tmp_path / str(n)).read_text() for n in range(5)] == [f"{n}\n" for n in range(5)]
    start = time.monotonic()
    late = run_parallel([sleeper(tmp_path, "x"), tasks[0]], jobs=1, timeout=0.3)
    assert [end.status for end in late] == [None, 0]
    assert time.monotonic() - start < 10


def test_a_program_that_is_killed_from_outside(tmp_path):
    task = Task(["sh", "-c", "kill -9 $$"], tmp_path, tmp_path / "log")
    assert run_parallel([task], jobs=1)[0].status == -9
