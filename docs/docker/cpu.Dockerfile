# ovarnet on a CPU, built in a clone of the repository:
#   docker build -f docs/docker/cpu.Dockerfile -t ovarnet .
FROM python:3.12-slim

ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 HOME=/tmp

# PyTorch's own index has wheels without CUDA's libraries, which take several GB
RUN pip install "torch>=2.6,!=2.13.0" torchvision --index-url https://download.pytorch.org/whl/cpu

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
