"""The bank's documents over HTTP."""

import httpx
import pytest

PETS = b"---\ntitle: Pets\ncollection: service\n---\n## Dogs\n\nA Larkfield branch welcomes calm dogs on a leash.\n"


def ask(http: httpx.Client, question: str) -> str:
    body = {"messages": [{"role": "user", "content": question}], "stream": False}
    content: str = http.post("/api/chat/completions/", json=body).json()["choices"][0]["message"]["content"]
    return content


def upload(http: httpx.Client, filename: str, data: bytes) -> httpx.Response:
    return http.post("/api/documents/upload/", files={"file": (filename, data, "application/octet-stream")})


def test_an_uploaded_document_is_answered_from_listed_read_and_deleted(http: httpx.Client) -> None:
    uploaded = upload(http, "pets.md", PETS).json()
    assert uploaded["status"] == "success"
    assert (uploaded["filename"], uploaded["chunks_created"]) == ("pets.md", 1)
    assert "leash" in ask(http, "May I bring my dog into a branch?")

    listed = {document["filename"]: document for document in http.get("/api/documents/").json()["documents"]}
    assert listed["pets.md"]["collection"] == "service"
    assert len(listed) == 19

    path = f"/api/documents/{uploaded['document_id']}"
    assert "calm dogs" in http.get(path).json()["passages"][0]
    assert http.delete(path).status_code == 204
    assert http.delete(path).status_code == 404
    assert http.get(path).status_code == 404
    assert "leash" not in ask(http, "May I bring my dog into a branch?")


@pytest.mark.parametrize(
    ("filename", "data"),
    [
        ("empty.md", b""),
        ("blank.txt", b"  \n"),
        ("photo.png", b"\x89PNG\r\n\x1a\n\x00\x00"),
        ("broken.txt", b"\xff\xfe\xfa"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_and_leaves_nothing(
    http: httpx.Client, filename: str, data: bytes
) -> None:
    before = http.get("/api/documents/").json()
    refused = upload(http, filename, data)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "file"
    assert http.get("/api/documents/").json() == before


def test_a_document_of_more_than_ten_megabytes_is_too_large(http: httpx.Client) -> None:
    assert upload(http, "large.txt", b"word " * 2_100_000).status_code == 413


def test_a_request_without_a_file_is_told_so(http: httpx.Client) -> None:
    refused = http.post("/api/documents/upload/")
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "file"
