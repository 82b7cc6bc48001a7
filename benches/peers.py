"""What the benchmarks share: the programs to compare with, each holding the Ansa patterns only, and how runs are timed.

Runs are interleaved, round by round, after one warm-up round, so that a machine that slows down slows everyone down; a quick
program runs once uncounted before each counted run, to have the caches to itself.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time

LIMIT_SECONDS = 120
SETTLE_SECONDS = 5
PATTERN = "ansa_(sk|cs)_(live|sandbox)_[A-Za-z0-9+/=_-]{16,}"
KINGFISHER_RULE = """rules:
  - name: Ansa secret key
    id: custom.ansa.1
    pattern: |
      (?x)
      (ansa_(?:sk|cs)_(?:live|sandbox)_[A-Za-z0-9+/=_-]{16,})
    confidence: medium
    min_entropy: 0
"""
GITLEAKS_RULE = f"""[[rules]]
id = "ansa"
regex = '''{PATTERN}'''
keywords = ["ansa_"]
"""
TRUFFLEHOG_RULE = f"""detectors:
  - name: ansa
    keywords: ["ansa_"]
    regex:
      key: '{PATTERN}'
"""


def cache():
    folder = pathlib.Path(os.environ.get("BENCH_CACHE", pathlib.Path.home() / ".cache/ansalint-bench"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def install():
    venv = cache() / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    subprocess.run([str(venv / "bin/pip"), "install", "-q", "kingfisher-bin==2.14.0", "detect-secrets==1.5.0"], check=True)
    subprocess.run(["cargo", "install", "-q", "ripsecrets@0.1.11", "--locked", "--root", str(cache() / "cargo")], check=True)


def find(name):
    for folder in (cache() / "venv/bin", cache() / "cargo/bin"):
        if (folder / name).exists():
            return str(folder / name)
    return shutil.which(name)


def write_rules(rules):
    """Rule files of the other scanners, in the folder `rules`."""
    (rules / "kingfisher.yml").write_text(KINGFISHER_RULE)
    (rules / "gitleaks.toml").write_text(GITLEAKS_RULE)
    (rules / "trufflehog.yml").write_text(TRUFFLEHOG_RULE)


def here(wanted):
    """Name and command of those of (name, path, arguments, remark) whose program is there; the others are named."""
    for name, path, _, remark in wanted:
        if path is None:
            print(f"not here: {name} ({remark})")
    return [(name, [path, *args]) for name, path, args, _ in wanted if path]


def kingfisher(rules, *more):
    return ["scan", "--turbo", "--no-validate", "--load-builtins", "false", "--rules-path", str(rules / "kingfisher.yml"),
            "--rule", "custom.ansa.1", "--no-extract-archives", "--quiet", "--no-update-check", *more]


def timed(command, folder=None):
    """Wall seconds, peak MiB and exit code of one run."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=folder) as child:
        timer = threading.Timer(LIMIT_SECONDS, child.kill)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, usage.ru_maxrss / 1024, child.returncode


def measure(known, rounds, folder=None):
    """Runs of each of (name, command), by name."""
    runs = {name: [] for name, _ in known}
    for round_number in range(rounds + 1):
        # Every other round goes backwards, so that nobody always follows the same neighbour.
        for name, command in known if round_number % 2 else reversed(known):
            if runs[name] and runs[name][-1][0] >= LIMIT_SECONDS:
                continue
            if runs[name] and runs[name][-1][0] < SETTLE_SECONDS:
                timed(command, folder)  # What ran before it has had the processor's caches.
            run = timed(command, folder)
            # The first round warms up; a program that runs out of time has only the one.
            if round_number > 0 or run[0] >= LIMIT_SECONDS:
                runs[name].append(run)
    return runs


def table(runs, reference):
    """Prints the runs beside those called `reference`."""
    base = statistics.median(run[0] for run in runs[reference])
    print(f"\n| program | min s | median s | × {reference} | peak MiB | exit |\n|---|---|---|---|---|---|")
    for name, times in runs.items():
        seconds = [run[0] for run in times]
        median = statistics.median(seconds)
        if median >= LIMIT_SECONDS:
            print(f"| {name} | | over {LIMIT_SECONDS}, stopped | | {max(run[1] for run in times):.0f} | |")
            continue
        print(f"| {name} | {min(seconds):.3f} | {median:.3f} | {median / base:.2f} | {max(run[1] for run in times):.0f} | {times[0][2]} |")


def program(parser):
    """The program to measure, from an argument."""
    default = pathlib.Path(__file__).resolve().parent.parent / "target/release/ansalint"
    parser.add_argument("--program", type=pathlib.Path, default=default)


def check(path):
    if not path.exists():
        sys.exit(f"{path} is not there; run: cargo build --release --locked")
    return path.resolve()
