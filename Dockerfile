# Teller in an image. `docker build -t teller .` and `docker run -p 127.0.0.1:8000:8000 -v teller-data:/data teller`.
# Needs BuildKit (the default since Docker 23). tests/deploy/test_dockerfile.py runs what stands here without an engine.

FROM python:3.11-slim AS installer
RUN pip install --no-cache-dir uv==0.13.9

FROM python:3.11-slim
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data
RUN useradd --system --uid 10001 --no-create-home teller && install -d -m 0700 -o teller -g teller /data
WORKDIR /app

# The dependencies: this layer is built anew only when the lock file or pyproject.toml changes.
COPY pyproject.toml uv.lock ./
RUN --mount=from=installer,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev --no-install-project --compile-bytecode

# Teller itself: what .dockerignore lets through.
COPY . .
RUN --mount=from=installer,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    --mount=type=cache,target=/root/.cache/uv \
    uv sync --frozen --no-dev && python -m compileall -q graph tools prompts doors teller simulator server.py

USER teller
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/ready', timeout=4)"]
CMD ["teller", "serve"]
