"""How good transcripts are."""

from collections.abc import Sequence

from elman.errors import DataError, optional


def error_rates(answers: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Words, and characters, that would have to be changed, put in or taken out, as shares of those of the references.

    Raises:
        DataError: There is nothing to compare with.
        MissingExtra: jiwer is not installed.

    Example:
        >>> error_rates(["one too"], ["one two three"])
        {'wer': 0.6666666666666666, 'cer': 0.5384615384615384}
    """
    if not any(reference.strip() for reference in references):
        raise DataError("there are no texts to compare transcripts with; expected one or more")
    jiwer = optional("jiwer", "jiwer", "sound")
    words = jiwer.process_words(list(references), list(answers))
    characters = jiwer.process_characters(list(references), list(answers))
    return {"wer": words.wer, "cer": characters.cer}
