"""Run the tests of the Spark engine on a real Apache Spark Connect server: it is installed apart, started, and gone with the tests.

Apart, since the server's package and the client's are the same one in two sizes. Needs Java 17.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".venv-spark"
VERSION = "4.2.0"
"""Of the client in requirements.lock."""
TESTS = [
    "tests/engines/test_contract.py",
    "tests/engines/test_spark.py",
    "tests/engines/test_commands.py",
    "tests/exports/test_clustered.py",
]
SHORT = "(spark or Spark or every_engine or clustered) and not propose and not duckdb and not polars"
WAIT = 120


def installed() -> Path:
    """Give the Python of the server's own environment."""
    python = HOME / "bin" / "python"
    if not (HOME / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
        wanted = [f"pyspark[connect]=={VERSION}", "pandas<3", "setuptools"]
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], check=True)
        (HOME / ".ready").touch()
    return python


def main(client: str) -> int:
    """Start the server, run the tests on it with the client's Python, and stop it."""
    if shutil.which("java") is None:
        print("Apache Spark needs Java 17: apt-get install openjdk-17-jre-headless")
        return 2
    python = installed()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spark = next((HOME / "lib").glob("python*/site-packages/pyspark"))
    environment = os.environ | {"SPARK_HOME": str(spark), "PYSPARK_PYTHON": str(python), "TZ": "America/New_York"}
    options = {
        "spark.connect.grpc.binding.port": port,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.sql.shuffle.partitions": 2,
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "America/New_York",
    }
    submit = [spark / "bin" / "spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    submit += ["--master", "local[2]", "--driver-memory", "2g"]
    for name, value in options.items():
        submit += ["--conf", f"{name}={value}"]
    with (HOME / "server.log").open("w") as log:
        server = subprocess.Popen([*map(str, submit), "spark-internal"], env=environment, stdout=log, stderr=log)
        try:
            if not _listens(port, server):
                print((HOME / "server.log").read_text()[-3000:])
                return 1
            named = os.environ | {"PQLKIT_TEST_SPARK": f"sc://127.0.0.1:{port}"}
            tests = [client, "-m", "pytest", "-n0", "-q", "-m", "not slow", "-k", SHORT, *TESTS]
            return subprocess.run(tests, cwd=ROOT, env=named, check=False).returncode
        finally:
            server.terminate()
            server.wait(30)


def _listens(port: int, server: subprocess.Popen[bytes]) -> bool:
    for _ in range(WAIT * 2):
        if server.poll() is not None:
            return False
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.5)
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
