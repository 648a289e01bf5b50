# The ML API and the exporter, with every other command: `facemon serve` unless told otherwise.
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY facemon facemon
# Fewer extras make a smaller image: docs/how-to/start-the-stack.md has the sizes.
ARG EXTRAS=age-gender,object-storage,serve,yunet
RUN python -m venv --without-pip /opt/facemon \
    && pip --python /opt/facemon/bin/python install --no-cache-dir --constraint constraints.txt ".[${EXTRAS}]"
# Of these packages alone: Evidently imports a package of its own that is called tests.
WORKDIR /opt/facemon/lib/python3.11/site-packages
RUN find numpy pandas pyarrow scipy sklearn statsmodels -type d -name tests -prune -exec rm -r {} +

FROM python:3.11.13-slim-bookworm
# The user's number is also the default of docker-compose.full.yml; whoever owns the store can be put in its place.
RUN useradd --system --uid 10001 --user-group --no-create-home facemon \
    && install --directory --owner=facemon --group=facemon /srv/faces
COPY --from=build /opt/facemon /opt/facemon
# A mounted configuration belongs to a user of the machine, whose number is not the container's.
ENV PATH=/opt/facemon/bin:$PATH \
    HOME=/tmp \
    FACEMON_TRUST=/srv/faces
WORKDIR /srv/faces
USER 10001:10001
EXPOSE 8000 8001
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client as http, sys; server = http.HTTPConnection('127.0.0.1', 8000, timeout=4); server.request('GET', '/ready'); sys.exit(server.getresponse().status != 200)"]
ENTRYPOINT ["facemon"]
CMD ["serve", "--listen", "0.0.0.0:8000"]
