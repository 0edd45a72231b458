"""T39: a server without a secret takes the empty one, instead of refusing to start."""

from sspcore.sidecar.auth import Guard

TEST = "tests.sidecar.test_security:test_an_empty_token_is_refused"


def plant(patch):
    patch.setattr(Guard, "__attrs_post_init__", lambda self: None)
