"""The embedded answerer: it quotes the documents' own sentences, or declines. Open `model.py` first.

A question goes through `model.py` -> `prepared_passages.py` (passages split by `blocks.py` and `sentences.py`, with
their vectors) -> `evidence.py` (what speaks for each sentence) -> `answer_choice.py` (which of them, or none).
"""
