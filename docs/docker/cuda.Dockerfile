# ovarnet on an NVIDIA GPU, built in a clone of the repository:
#   docker build -f docs/docker/cuda.Dockerfile -t ovarnet:cuda .
FROM python:3.12-slim

ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 HOME=/tmp
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

# wheels of the package index bring CUDA's libraries; the host needs only its driver and the
# NVIDIA Container Toolkit
RUN pip install "torch>=2.6,!=2.13.0" torchvision

WORKDIR /opt/ovarnet
COPY setup.py pyproject.toml README.md LICENSE ./
COPY configs configs
COPY ovarnet ovarnet
RUN pip install ".[serve,train,catalogue,onnx]"

# files of the host are mounted here; any user may be given with --user
WORKDIR /work
RUN useradd --uid 1000 --home-dir /tmp ovarnet && chown ovarnet /work
USER ovarnet
EXPOSE 8000
ENTRYPOINT ["ovarnet"]
CMD ["--help"]
