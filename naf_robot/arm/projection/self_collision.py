"""Distances between the arm's own links, by coal through pinocchio."""

import warnings

import coal
import numpy as np
import pinocchio

from naf_robot.arm.model.capsules import capsule
from naf_robot.arm.model.contacts import adjacent, always_touching
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.lipschitz import hull, lipschitz_bounds
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.records import FloatArray

SOLVER_TOLERANCE = 1e-8  # [m] of a distance


class SelfCollision:
    """Every watched pair of collision shapes and how far apart they are.

    Watched are all pairs whose links are neither the same nor joined by one controlled joint,
    less `ignored` and the SRDF's disabled pairs (of link names) and less those that touch in every sampled posture,
    which is how a description overlaps its own shapes; `always_touching` lists the latter.
    With `pairs` given, only those link pairs are watched. `nearer` is quick where no more than
    `clearance` [m] is asked for.

    `warnings` says in sentences what is not watched though one might think so.

    Raises:
        ConfigError: the URDF has no collision shapes.
        RobotModelError: its collision shapes cannot be loaded.
        UnknownNameError: a pair names a link without collision shapes; those with are listed.
    """

    def __init__(
        self,
        model: ArmModel,
        pairs: tuple[tuple[str, str], ...] | None = None,
        ignored: tuple[tuple[str, str], ...] = (),
        clearance: float = 0.0,
    ) -> None:
        self._model = model.pinocchio_model
        self._data = self._model.createData()
        self._arm = model
        self._geometry = model.collision_geometry()
        links = [self._model.frames[shape.parentFrame].name for shape in self._geometry.geometryObjects]
        if not links:
            raise ConfigError(
                f"URDF {str(model.urdf)!r} has no collision shapes"
                f"{''.join(f'; {text}' for text in model.description.unwatched)}: "
                "give its links some, or set safety.self_collision.enabled to false"
            )
        for pair in (*(pairs or ()), *ignored):
            for link in pair:
                if link not in links:
                    raise UnknownNameError("link", link, set(links), "the self-collision pairs")
        wanted = {frozenset(pair) for pair in pairs} if pairs is not None else None
        unwanted = {frozenset(pair) for pair in ignored} | (model.disabled_pairs if pairs is None else set())
        for first in range(len(links)):
            for second in range(first + 1, len(links)):
                key = frozenset((links[first], links[second]))
                if key in unwanted or (wanted is not None and key not in wanted):
                    continue
                if wanted is None and self._adjacent(first, second):
                    continue
                self._geometry.addCollisionPair(pinocchio.CollisionPair(first, second))
        self.always_touching = self._drop_touching(links, model) if wanted is None else ()
        for item in self._geometry.geometryObjects:
            item.geometry.computeLocalAABB()  # which the bounding volumes of _forget_the_past need
        self._shapes = pinocchio.GeometryData(self._geometry)
        for request in (*self._shapes.distanceRequests, *self._shapes.collisionRequests):
            _forget_the_past(request)
        self._clearance = clearance
        for request in self._shapes.collisionRequests:
            request.security_margin = request.distance_upper_bound = clearance + 2.0 * SOLVER_TOLERANCE
        self._results = [self._shapes.distanceResults[k] for k in range(len(self._geometry.collisionPairs))]
        self._shape_bounds = [
            lipschitz_bounds(self._model, item.parentJoint, hull(item)) for item in self._geometry.geometryObjects
        ]
        self.lipschitz = np.array([self._pair_bounds_per_joint(k) for k in range(len(self._results))])
        self.lipschitz = self.lipschitz.reshape(len(self._results), model.size)
        self._carried = [self._carries(k) for k in range(len(self._results))]
        self.names = tuple(self._pair_name(links, k) for k in range(len(self._results)))
        self.warnings = model.description.unwatched
        if self.always_touching:
            pairs_text = ", ".join(self.always_touching)
            self.warnings += (f"not watched for self-collision, because they touch in every posture: {pairs_text}",)
        if not self.names:
            self.warnings += ("no pair of links is watched for self-collision",)

    def distances(self, position: FloatArray) -> FloatArray:
        """Distance of every watched pair at joint `position` (n,): shape (len(names),) [m]."""
        if not self._results:
            return np.empty(0)
        pinocchio.computeDistances(
            self._model, self._data, self._geometry, self._shapes, self._arm.full_position(position)
        )
        return np.array([result.min_distance for result in self._results])

    def some_distances(self, position: FloatArray, pairs: list[int]) -> list[float]:
        """Distances of the pairs numbered in `pairs` alone, in that order [m]."""
        full = self._arm.full_position(position)
        pinocchio.updateGeometryPlacements(self._model, self._data, self._geometry, self._shapes, full)
        for pair in pairs:
            pinocchio.computeDistance(self._geometry, self._shapes, pair)
        return [self._results[pair].min_distance for pair in pairs]

    def nearer(self, position: FloatArray, pairs: list[int], bounds: list[float]) -> list[tuple[int, float]]:
        """Which of `pairs` are nearer to each other than their `bounds` [m], with their distance [m]."""
        found = []
        full = self._arm.full_position(position)
        pinocchio.updateGeometryPlacements(self._model, self._data, self._geometry, self._shapes, full)
        for pair, bound in zip(pairs, bounds, strict=True):
            # Whether shapes are apart by a clearance is known after a few steps of the search for their distance.
            if bound <= self._clearance and not pinocchio.computeCollision(self._geometry, self._shapes, pair):
                continue
            pinocchio.computeDistance(self._geometry, self._shapes, pair)
            distance = self._results[pair].min_distance
            if not distance >= bound:
                found.append((pair, distance))
        return found

    def gradient(self, position: FloatArray, pair: int) -> FloatArray:
        """Derivative (n,) [m/rad] of the distance of pair number `pair` at joint `position` (n,)."""
        pinocchio.computeJointJacobians(self._model, self._data, self._arm.full_position(position))
        pinocchio.updateGeometryPlacements(self._model, self._data, self._geometry, self._shapes)
        pinocchio.computeDistance(self._geometry, self._shapes, pair)
        result = self._results[pair]
        x, y, z = result.normal.tolist()  # from the first shape to the second
        away = np.zeros(self._model.nv)
        for carried, point in zip(
            self._carried[pair], (result.getNearestPoint1(), result.getNearestPoint2()), strict=True
        ):
            # Columns are twists at the base's origin: a point p moves with v + w x p, along d by d.v + (p x d).w
            a, b, c = point.tolist()
            direction = np.array((x, y, z, b * z - c * y, c * x - a * z, a * y - b * x))
            away += carried * (direction @ self._data.J)
        return self._arm.controlled(away)

    def nearest_points(self, position: FloatArray, pair: int) -> FloatArray:
        """Nearest points of a pair's shapes and the direction from the first to the second, base frame: (3, 3)."""
        self.some_distances(position, [pair])
        result = self._results[pair]
        return np.array((result.getNearestPoint1(), result.getNearestPoint2(), result.normal))

    def capsules(self) -> list[tuple[int, FloatArray, float]]:
        """Of each shape: the joint that carries it, a segment (2, 3) in its frame, the radius around it [m]."""
        return [(int(item.parentJoint), *capsule(item)) for item in self._geometry.geometryObjects]

    def shapes_of_pairs(self) -> list[tuple[int, int]]:
        """The numbers of the two shapes of each watched pair."""
        return [(int(pair.first), int(pair.second)) for pair in self._geometry.collisionPairs]

    def _carries(self, pair: int) -> FloatArray:
        """Which joints carry the pair's shapes, -1 for the first and 1 for the second: shape (2, nv)."""
        signs, shapes = np.zeros((2, self._model.nv)), self._geometry.collisionPairs[pair]
        for number, shape, sign in ((0, shapes.first, -1.0), (1, shapes.second, 1.0)):
            joint = self._geometry.geometryObjects[shape].parentJoint
            while joint != 0:
                signs[number, self._model.joints[joint].idx_v] = sign
                joint = self._model.parents[joint]
        return signs

    def _pair_bounds_per_joint(self, pair: int) -> FloatArray:
        """How far a joint's unit of motion can move the pair's shapes against each other at most: (n,) [m/rad]."""
        shapes = self._geometry.collisionPairs[pair]
        one, two = self._shape_bounds[shapes.first], self._shape_bounds[shapes.second]
        return self._arm.by_joint(
            {joint: one.get(joint, 0.0) + two.get(joint, 0.0) for joint in one.keys() ^ two.keys()}
        )

    def _adjacent(self, first: int, second: int) -> bool:
        one = self._geometry.geometryObjects[first].parentJoint
        two = self._geometry.geometryObjects[second].parentJoint
        return adjacent(self._model, one, two)

    def _drop_touching(self, links: list[str], model: ArmModel) -> tuple[str, ...]:
        dropped = always_touching(model, self._geometry)
        names = tuple(self._pair_name(links, k) for k in dropped)
        for pair in [self._geometry.collisionPairs[k].copy() for k in dropped]:
            self._geometry.removeCollisionPair(pair)
        return names

    def _pair_name(self, links: list[str], pair: int) -> str:
        shapes = self._geometry.collisionPairs[pair]
        return f"{links[shapes.first]}/{links[shapes.second]}"


def _forget_the_past(request: coal.DistanceRequest | coal.CollisionRequest) -> None:
    """Start every search from the shapes' bounding volumes.

    By default coal starts where the last call ended, so equal postures give unequal distances.
    """
    request.gjk_initial_guess = coal.GJKInitialGuess.BoundingVolumeGuess
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        request.enable_cached_gjk_guess = False  # deprecated, but on by default and above the field that replaced it
    request.gjk_tolerance = SOLVER_TOLERANCE
