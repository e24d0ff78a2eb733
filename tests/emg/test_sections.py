"""Cross-sections: areas, points inside, outlines, and what is refused."""

import numpy as np
import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st

from myoloop.emg._anatomy._outlines import polygon_area, polygon_contains
from myoloop.emg._anatomy._sections import Circle, CrossSection, Ellipse, Mask, Polygon
from myoloop.errors import ParameterError

L_SHAPE = [[0, 0], [4, 0], [4, 1], [1, 1], [1, 3], [0, 3]]
RING = np.ones((6, 8), dtype=bool)
RING[2:4, 3:6] = False
RING[0, 0] = False

SECTIONS = {
    "circle": Circle(6.91),
    "circle off the origin": Circle(2.0, x_mm=30.0, y_mm=-12.0),
    "ellipse": Ellipse(9.0, 3.0, angle_deg=35.0, x_mm=-20.0, y_mm=4.0),
    "polygon": Polygon(L_SHAPE),
    "clockwise polygon": Polygon(np.array(L_SHAPE[::-1]) - 10.0),
    "mask": Mask(RING, pixel_mm=0.5, x_mm=3.0, y_mm=7.0),
    "mask in two pieces": Mask([[1, 0, 0, 1], [1, 0, 1, 1]], pixel_mm=2.0),
}
AREAS = {
    "circle": np.pi * 6.91**2,
    "circle off the origin": np.pi * 4.0,
    "ellipse": np.pi * 27.0,
    "polygon": 6.0,
    "clockwise polygon": 6.0,
    "mask": 41 * 0.25,
    "mask in two pieces": 5 * 4.0,
}
every = pytest.mark.parametrize("name", SECTIONS)


@every
def test_area_and_its_monte_carlo_estimate(name):
    section = SECTIONS[name]
    assert section.area_mm2 == pytest.approx(AREAS[name])
    left, right, bottom, top = section.bounds_mm
    n, box = 200_000, (right - left) * (top - bottom)
    x, y = np.random.default_rng(1).uniform((left, bottom), (right, top), (n, 2)).T
    share = AREAS[name] / box
    assert abs(section.contains(x, y).mean() - share) < 5 * np.sqrt(share * (1 - share) / n) + 1e-12


@every
def test_bounds_are_tight(name):
    section = SECTIONS[name]
    outline = section.outline_mm()
    left, right, bottom, top = section.bounds_mm
    found = [*np.nanmin(outline, axis=0), *np.nanmax(outline, axis=0)]
    assert found == pytest.approx([left, bottom, right, top], abs=2e-3 * (right - left))
    x, y = section.sample(20_000, np.random.default_rng(2)).T
    assert left <= x.min() < x.max() <= right
    assert bottom <= y.min() < y.max() <= top


@every
def test_samples_are_uniform_and_inside(name):
    section = SECTIONS[name]
    points = section.sample(40_000, np.random.default_rng(3))
    assert points.shape == (40_000, 2)
    assert section.contains(*points.T).all()
    left, right, bottom, top = section.bounds_mm
    x, y = np.meshgrid(np.linspace(left, right, 801), np.linspace(bottom, top, 801))
    inside = section.contains(x, y)
    for mean, grid, width in zip(points.mean(axis=0), (x, y), (right - left, top - bottom), strict=True):
        assert mean == pytest.approx(grid[inside].mean(), abs=0.01 * width)
    same = section.sample(40_000, np.random.default_rng(3))
    assert np.array_equal(points, same)


@every
def test_the_outline_encloses_what_is_inside(name):
    section = SECTIONS[name]
    outline = section.outline_mm()
    pieces = np.split(outline, np.flatnonzero(np.isnan(outline[:, 0])))
    x, y = np.random.default_rng(4).uniform(-1, 1, (2, 5000)) * 1.2
    left, right, bottom, top = section.bounds_mm
    x, y = (left + right) / 2 + x * (right - left) / 2, (bottom + top) / 2 + y * (top - bottom) / 2
    within = np.zeros(len(x), dtype=bool)
    for piece in pieces:
        corners = piece[~np.isnan(piece[:, 0])]
        assert np.array_equal(corners[0], corners[-1])
        within ^= polygon_contains(corners[:-1], x, y)
    assert np.mean(within != section.contains(x, y)) < 1e-3  # a circle is drawn with straight sides


def test_pixels_that_touch_at_a_corner_have_outlines_of_their_own():
    outline = Mask([[1, 0], [0, 1]], pixel_mm=1.0).outline_mm()
    gaps = np.isnan(outline[:, 0])
    assert gaps.sum() == 1
    assert len(outline) == 5 + 1 + 5


def test_rows_of_a_mask_run_upwards_about_its_centre():
    mask = Mask([[1, 1, 0], [0, 0, 0]], pixel_mm=2.0, x_mm=10.0, y_mm=20.0)
    assert mask.contains([7.5, 9.5, 11.5, 9.5], [19.0, 19.0, 19.0, 21.0]).tolist() == [1, 1, 0, 0]
    assert mask.bounds_mm == (7.0, 11.0, 18.0, 20.0)
    assert not mask.contains(np.array([-1e9, 1e9]), np.zeros(2)).any()


def test_points_may_have_any_shape():
    for section in SECTIONS.values():
        assert section.contains(0.0, 0.0).shape == ()
        assert section.contains(np.zeros((3, 1)), np.zeros(4)).shape == (3, 4)


@st.composite
def stars(draw):
    """Star-shaped polygons about the origin, of the angles and radii drawn."""
    n = draw(st.integers(3, 12))
    steps = np.array(draw(st.lists(st.floats(0.5, 1.5), min_size=n, max_size=n)))
    angle = 2 * np.pi * np.cumsum(steps) / steps.sum()
    radius = np.array(draw(st.lists(st.floats(0.5, 5.0), min_size=n, max_size=n)))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


@given(stars(), st.floats(-100, 100), st.floats(-100, 100), st.floats(0, 6.28), st.integers(0, 11))
def test_polygons_move_turn_and_may_begin_anywhere(vertices, dx, dy, angle, shift):
    polygon = Polygon(vertices)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, s], [-s, c]])
    moved = Polygon(np.roll(vertices, shift, axis=0)[::-1] @ turn + [dx, dy])
    assert moved.area_mm2 == pytest.approx(polygon.area_mm2, rel=1e-9)
    points = np.random.default_rng(0).uniform(-5, 5, (500, 2))
    inside = polygon.contains(*points.T)
    differ = inside != moved.contains(*(points @ turn + [dx, dy]).T)
    assert not differ.any()


@given(stars())
def test_area_of_a_star_is_the_sum_of_its_triangles(vertices):
    following = np.roll(vertices, -1, axis=0)
    triangles = (vertices[:, 0] * following[:, 1] - vertices[:, 1] * following[:, 0]) / 2
    if np.all(triangles > 0):  # else the origin lies outside
        polygon = Polygon(vertices)
        assert polygon.area_mm2 == pytest.approx(triangles.sum())
        assert polygon.contains(0.0, 0.0)
        assert polygon.contains(*(0.99 * vertices).T).all()
        assert not polygon.contains(*(1.01 * vertices).T).any()


@given(stars(), st.data())
def test_exchanging_two_corners_of_a_convex_polygon_is_refused(vertices, data):
    n = len(vertices)
    if n < 4:
        return
    convex = vertices / np.hypot(*vertices.T)[:, None]
    k = data.draw(st.integers(0, n - 2))
    convex[[k, k + 1]] = convex[[k + 1, k]]
    with pytest.raises(ParameterError, match=r"Polygon\.vertices_mm: the sides .* cross or touch"):
        Polygon(convex)


def test_repeated_corners_are_the_same_polygon():
    closed = Polygon([*L_SHAPE, L_SHAPE[0], L_SHAPE[0]])
    assert np.array_equal(closed.vertices_mm, Polygon(L_SHAPE).vertices_mm)
    assert closed.area_mm2 == polygon_area(np.array(L_SHAPE, dtype=float)) == 6.0


REFUSED = {
    "negative radius": (lambda: Circle(-1.0), "Circle.radius_mm: -1 was given"),
    "no radius": (lambda: Circle(0.0), "Circle.radius_mm: 0 was given"),
    "negative axis": (lambda: Ellipse(1.0, -2.0), "Ellipse.half_height_mm: -2 was given"),
    "NaN centre": (lambda: Circle(1.0, x_mm=np.nan), "Circle.x_mm: nan was given"),
    "two corners": (lambda: Polygon([[0, 0], [1, 1]]), "Polygon.vertices_mm: 2 different corners"),
    "one corner thrice": (lambda: Polygon([[1, 1]] * 3), "Polygon.vertices_mm: 0 different corners"),
    "NaN corner": (lambda: Polygon([[0, 0], [1, 1], [np.nan, 0]]), "Polygon.vertices_mm: NaN"),
    "three columns": (lambda: Polygon(np.eye(3)), r"Polygon.vertices_mm: an array of shape \(3, 3\)"),
    "text": (lambda: Polygon("square"), "Polygon.vertices_mm: not a number"),
    "bow tie": (lambda: Polygon([[0, 0], [1, 1], [1, 0], [0, 1]]), r"from \(0, 0\) to \(1, 1\)"),
    "on one line": (lambda: Polygon([[0, 0], [1, 0], [3, 0]]), "cross or touch"),
    "spike": (lambda: Polygon([[0, 0], [4, 0], [4, 4], [4, 2], [0, 2]]), "cross or touch"),
    "corner on a side": (lambda: Polygon([[0, 0], [4, 0], [4, 2], [2, 0], [0, 2]]), "cross or touch"),
    "empty mask": (lambda: Mask(np.zeros((3, 3)), pixel_mm=1.0), "Mask.image: no pixel is true"),
    "no image": (lambda: Mask([], pixel_mm=1.0), r"Mask.image: an array of shape \(0,\)"),
    "grey values": (lambda: Mask([[0, 7]], pixel_mm=1.0), "Mask.image: values of type int64"),
    "no pixel size": (lambda: Mask(RING, pixel_mm=0.0), "Mask.pixel_mm: 0 was given"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_sections_are_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_other_units_are_converted():
    assert Circle("0.8 cm").radius_mm == pytest.approx(8.0)
    assert Polygon(np.array([[0, 0], [1, 0], [0, 1]]) * pq.cm).area_mm2 == pytest.approx(50.0)


def test_the_base_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        CrossSection()
