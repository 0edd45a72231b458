"""T21: a row is hashed by what this run of Python makes of it, so the next one finds another digest for equal states."""

from sspcore.engine import digest

TEST = "tests.engine.test_digest:test_a_digest_is_the_same_in_another_process"


def plant(patch):
    patch.setattr(digest, "entry_weight", lambda key, row: hash((key, row)) % digest._MODULUS)
