"""The encoding: published examples, and thirty halvings as the definition has them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sspcore_route_geohash.geohash import ALPHABET, encode

PUBLISHED = [
    (57.64911, 10.40744, "u4pruydqqvj"),  # Wikipedia, "Geohash"
    (42.605, -5.603, "ezs42"),  # the same page's example of decoding
    (48.0, -126.0, "c0w3hf1s70w3"),  # PostGIS, ST_GeoHash
    (47.62, -122.35, "c22yzugqw7"),  # BigQuery, ST_GEOHASH
    (37.8324, 112.5584, "ww8p1r4t8"),  # node-geohash and georust, their front pages
    (51.433718, -0.214126, "gcpue5hp4"),  # Rosetta Code
    (-25.382708, -49.265506, "6gkzwgjzn820"),  # the Ruby and Erlang packages' tests
]


def halved(latitude, longitude, length):
    """The definition: halve the range, the east or north half is a 1, longitude first."""
    ranges, bits = [[-180.0, 180.0], [-90.0, 90.0]], 0
    for turn in range(5 * length):
        value, bounds = (longitude, latitude)[turn % 2], ranges[turn % 2]
        middle = sum(bounds) / 2
        bits = bits << 1 | (value >= middle)
        bounds[value < middle] = middle
    return "".join(ALPHABET[bits >> 5 * place & 31] for place in reversed(range(length)))


@pytest.mark.parametrize(("latitude", "longitude", "expected"), PUBLISHED)
def test_published_examples(latitude, longitude, expected):
    assert expected == encode(latitude, longitude, len(expected))


borders = st.integers(-(2**30), 2**30).map(lambda n: n / 2**30)  # of the finest cells: where rounding would show
latitudes = st.floats(-90, 90) | borders.map(lambda part: 90 * part)
longitudes = st.floats(-180, 180) | borders.map(lambda part: 180 * part)


@given(latitude=latitudes, longitude=longitudes, length=st.integers(1, 12))
@example(90.0, 180.0, 12)
@example(-90.0, -180.0, 12)
@example(-0.0, -5e-324, 12)
def test_a_geohash_is_what_halving_gives(latitude, longitude, length):
    assert halved(latitude, longitude, length) == encode(latitude, longitude, length)


@given(latitude=latitudes, longitude=longitudes, length=st.integers(1, 11))
def test_a_shorter_geohash_is_the_beginning_of_a_longer_one(latitude, longitude, length):
    assert encode(latitude, longitude).startswith(encode(latitude, longitude, length))


@pytest.mark.parametrize("point", [(90.1, 0), (-91, 0), (0, 180.5), (0, -181), (float("nan"), 0), (0, float("inf"))])
def test_a_point_that_is_not_on_earth_is_refused(point):
    with pytest.raises(ValueError, match="latitude is in -90 … 90 and longitude in -180 … 180, not "):
        encode(*point)
