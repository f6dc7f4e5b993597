# The roles and the command line: `docker build -t airside:local .`, or by docker-compose.yml.

FROM python:3.12.12-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv --without-pip /opt/airside

# What we depend on first, as pinned: this layer stays while only our code changes. All of it
# comes as wheels, so that no compiler is needed.
COPY pyproject.toml constraints.txt ./
RUN python <<'END'
import pathlib, tomllib
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())
pathlib.Path("built-by.txt").write_text("\n".join(project["build-system"]["requires"]))
pathlib.Path("runs-on.txt").write_text("\n".join(project["project"]["dependencies"]))
END

RUN pip install --only-binary :all: --constraint constraints.txt --requirement built-by.txt \
    && pip --python /opt/airside/bin/python install --only-binary :all: \
        --constraint constraints.txt --requirement runs-on.txt

COPY README.md LICENSE ./
COPY schemas schemas/
COPY commands commands/
COPY projectors projectors/
COPY queries queries/
COPY airside airside/
RUN pip wheel --no-deps --no-build-isolation . \
    && pip --python /opt/airside/bin/python install --no-deps airside-*.whl

# The same Python, and nothing that builds.
FROM python:3.12.12-slim-trixie
RUN useradd --uid 10001 --create-home airside
COPY --from=build /opt/airside /opt/airside
ENV PATH=/opt/airside/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /home/airside
COPY examples examples/
USER 10001
# No HEALTHCHECK: a role has no port to ask, and `airside serve` answers /livez and /readyz
# at whatever port it is given. A role ends when it cannot go on, and is started again;
# `airside projections` and `airside doctor` say how far it is and what is wrong.
ENTRYPOINT ["airside"]
CMD ["--help"]
