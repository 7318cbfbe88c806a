"""What a language model is asked to write or to judge, and what of it may be kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Writing:
    """One kind of text to write. `window` holds the cosines to the source between which a text is kept."""

    ask: str
    """The request; `{text}` is the source."""
    examples: tuple[tuple[str, str], ...]
    """Sources and answers that show what is wanted."""
    window: tuple[float, float]
    question: bool = False
    """Whether it has to end with a question mark."""

    def request(self, text: str) -> str:
        """What the model is asked."""
        return self.ask.format(text=text)

    def turns(self) -> tuple[tuple[str, str], ...]:
        """The examples as the model sees them."""
        return tuple((self.request(text), answer) for text, answer in self.examples)


WRITINGS = {
    "paraphrase": Writing(
        "Say this in other words: {text}",
        (
            ("The train was late again because of snow.", "Snow has delayed the train once more."),
            ("I would like to know who is going with us.", "Please tell me which people are coming along."),
            ("The company was founded in 1911 in a small town.", "A small town saw the firm's beginning in 1911."),
        ),
        (0.60, 0.98),
    ),
    "question": Writing(
        "Write a question that this text answers: {text}",
        (
            ("The train was late again because of snow.", "Why was the train late?"),
            ("She gave the letter to her brother.", "To whom did she give the letter?"),
            ("The company was founded in 1911 in a small town.", "When was the company founded?"),
        ),
        (0.30, 0.98),
        question=True,
    ),
}

JUDGE = "Text: {text}\n\nQuestion: {label}\nAnswer yes or no."
YES, NO = "Yes", "No"
CONTENT_FREE = ("N/A", "...", "text")
"""Texts without content: what a model answers to them is its own leaning, and is taken off (Zhao et al. 2021)."""
