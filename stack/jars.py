"""The jars of the engines: fetched once by Maven, for a Java that is looked for here too."""

import logging
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from schemas.errors import NotFound, Unavailable

ENGINES = Path(__file__).parent.parent / ".engines"
KAFKA = Path(__file__).with_name("kafka.pom.xml")
CASSANDRA = Path(__file__).with_name("cassandra.pom.xml")
CLIENT = Path(__file__).with_name("client.pom.xml")  # for tests that speak to us in Java
POMS = (KAFKA, CASSANDRA, CLIENT)
JAVA = 17  # Cassandra 5.0 runs on no newer one
DOWNLOAD_SECONDS_MAX = 600.0
ERROR_LINES_SHOWN = 6

_log = logging.getLogger("airside.stack")


def fetch(pom: Path) -> Path:
    """The directory with the jars of a pom, downloaded if it is not there or not the same.

    It appears in one step, when it is whole; two that fetch at once do no harm.
    Raises: NotFound (no Maven), Unavailable (the download fails).
    """
    directory = ENGINES / f"{pom.name.removesuffix('.pom.xml')}-{_version(pom)}"
    stamp = directory / "pom.xml"
    if stamp.exists() and stamp.read_bytes() == pom.read_bytes():
        return directory
    ENGINES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ENGINES, prefix=".fetching-") as name:
        fetched = Path(name, "jars")
        _log.info("fetching %s", directory.name)
        _copy_dependencies(pom, fetched)
        shutil.copyfile(pom, fetched / "pom.xml")
        if directory.exists():
            directory.rename(Path(name, "old"))
        try:
            fetched.rename(directory)
        except OSError:  # somebody else was faster
            if not stamp.exists():
                raise
    return directory


def find_java() -> Path:
    """The Java to run the engines on, of JAVA_HOME or PATH. Raises: NotFound."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home, "bin"))) if home else shutil.which("java")
    if found is None:
        where = f"in JAVA_HOME, {home}" if home else "on PATH"
        raise NotFound(
            f"no Java {where}. Kafka and Cassandra need version {JAVA}: install a JDK or JRE "
            f"{JAVA} (Debian: openjdk-17-jre-headless), or set JAVA_HOME to where one is."
        )
    said = subprocess.run(
        [found, "-version"], capture_output=True, text=True, check=False, timeout=60
    ).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) != JAVA:
        raise NotFound(
            f"{found} is Java {version[1] if version else 'of an unknown version'}. Kafka and "
            f"Cassandra need {JAVA}: install it, or set JAVA_HOME to one."
        )
    return Path(found)


def _copy_dependencies(pom: Path, into: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise NotFound(
            "no Maven to fetch Kafka and Cassandra with: install it (Debian: maven), so that "
            "`mvn` is on PATH."
        )
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={into}")
    try:
        done = subprocess.run(
            [maven, "-q", "-B", "-f", str(pom), *goal],
            capture_output=True,
            text=True,
            check=False,
            timeout=DOWNLOAD_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"fetching the jars of {pom.name} took over {DOWNLOAD_SECONDS_MAX:.0f} s. Is "
            f"Maven's repository reachable? Try: mvn -B -f {pom} {' '.join(goal)}"
        ) from error
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()[:ERROR_LINES_SHOWN]
        raise Unavailable("\n  ".join([f"Maven cannot fetch the jars of {pom}:", *lines]))


def _version(pom: Path) -> str:
    found = ElementTree.parse(pom).findtext("{*}version")
    assert found is not None, pom
    return found
