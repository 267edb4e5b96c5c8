# The program with its browser and its face checks. Build: docker build -t celebcollect .
# Without faces, where there are no packages for the machine: docker build --build-arg EXTRAS= -t celebcollect .
FROM python:3.12-slim-bookworm

RUN apt-get update \
 && apt-get install -y --no-install-recommends chromium chromium-driver fonts-noto-core tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 celebcollect \
 && install -d -o celebcollect /data

ARG EXTRAS=faces
COPY pyproject.toml README.md LICENSE /src/
COPY src /src/src
RUN pip install --no-cache-dir "celebcollect[$EXTRAS] @ file:///src" && rm -rf /src

# Not root: Chromium keeps its sandbox, and files in /data belong to an ordinary user.
USER celebcollect
WORKDIR /home/celebcollect
ENV CELEBCOLLECT_DATA_DIR=/data
VOLUME /data
# tini reaps the browser's processes and passes SIGTERM on.
ENTRYPOINT ["/usr/bin/tini", "--", "celebcollect"]
CMD ["--help"]
