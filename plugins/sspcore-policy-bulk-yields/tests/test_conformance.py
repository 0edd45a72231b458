"""sspcore's own kit: the contract of policies."""

from __future__ import annotations

import pytest

from sspcore.testing import check_policy
from sspcore_policy_bulk_yields import BulkYields, BulkYieldsOptions

OPTIONS = {
    "as it comes": {},
    "small queues": {"bulk": 2, "share": 0.3},
    "quick to yield": {"bulk": 1, "share": 0.01, "lag": 0.0},
    "impatient": {"patience": 0.5, "lag": 1.0},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_it_keeps_the_contract_of_policies(options):
    check_policy(lambda: BulkYields(BulkYieldsOptions(**options)))
