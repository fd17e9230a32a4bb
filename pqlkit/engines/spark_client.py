"""The client of Spark Connect: what of PySpark the engine uses, and the way to import it.

Where no file is the main module (``python -c``), PySpark takes itself for its own tests, looks for a Spark on this machine and
ends the process that has none. A home that is named, wherever it is, keeps it from looking.
"""

from __future__ import annotations

import os
from typing import Final

__all__ = ["DefaultChannelBuilder", "PySparkException", "SparkSession", "expressions", "functions", "plan"]

_HOME: Final = "SPARK_HOME"
_UNNAMED: Final = _HOME not in os.environ

if _UNNAMED:
    os.environ[_HOME] = os.path.dirname(__file__)  # noqa: PTH120 - any folder
try:
    from pyspark.errors import PySparkException, utils
    from pyspark.sql.connect import expressions, functions, plan
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.session import SparkSession
finally:
    if _UNNAMED:
        del os.environ[_HOME]

# Else every expression looks for the line of code that wrote it, which takes longer than the plan; servers do not let a session say so.
utils._enable_debugging_cache = False  # type: ignore[assignment]
