"""What callers say in the random stories. `[0.5]` is a pause of so many seconds."""

WISHES = (
    "block my card", "freeze my visa please", "can you lock the gold card",
    "block my business card", "block both my cards",
    "I lost my card", "my gold card was stolen", "report my visa lost please",
    "unblock my card", "unblock my visa", "activate my card", "activate my new gold card",
    "my card is damaged, replace it", "I need a replacement for my gold card",
    "what's my balance", "what is the limit of my gold card", "when is my payment due", "show my last transactions",
    "is my card active", "what is the status of my cards",
    "block my visa and tell me the balance of the gold card", "somebody is using my card right now",
)  # fmt: skip
OPENINGS = ("unblock my visa", "unblock the gold card", "unblock my business card", "activate my new gold card")
YESES = ("yes", "yes please", "yeah go ahead", "sure", "do it", "that's right yes", "um yes")
GROWING = (
    "yes [0.5] but not that one", "yes [0.4] no wait", "yes [2.0] but not now", "yes [0.7] the other one",
    "yes [0.9] please", "yes [1.5] actually no", "yes [0.3] if it costs nothing", "go ahead [0.6] and cancel that",
)  # fmt: skip
OTHERS = (
    "no", "no, the other one", "no wait, the visa", "not that one", "never mind", "don't", "take it back",
    "never mind, just block it", "what does a replacement cost?", "hmm", "uh", "are you there", "thanks",
    "the weather is nice today", "yes but what does it cost", "maybe later", "I want to talk to a person",
    "5150", "ending four two four two",
)  # fmt: skip
CARDS = ("the first one", "the second one", "the gold one", "the visa", "four two four two", "both of them")
WRONG = ("0000", "one two three four", "my PIN is 5151", "2946 1")
TAILS = (
    "but not that one", "but not now", "no wait", "the other one", "if it is free", "what does a replacement cost",
    "I want to talk to a person", "please",
)  # fmt: skip
"""How a yes goes on; only the last of these leaves it a yes."""
ELSEWHERE = (
    "what is the status of my cards", "is my card active", "is the gold card blocked", "what's my balance",
    "block my other card",
)  # fmt: skip
"""How a caller goes on to something else, with not a word about what he was asked."""
