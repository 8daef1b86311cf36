/* Braking paths of one arm against its tool limits and the distances of its links: compiled_limits.py's arithmetic.

Plain C99 without any library but libm. It states the same as path_limits.py and pair_limits.py, which explain what
is computed; a test compares both. Lengths are in m, angles in rad, times in s. Every comparison asks whether a
limit is kept, so that a number that is not finite breaks it.

Joints are those of the reduced model in topological order; arrays of joint values are in the controlled order. */

#include <math.h>
#include <stdint.h>

#define MAX_JOINTS 32
#define WAYPOINTS 8
#define FROM_NOW 5
enum { WITHIN_PERIOD, AFTER_PERIOD, STANDSTILL = FROM_NOW - 1, MEASURED };
enum { SPHERE, HALF_SPACE, BOX };

static const double SHARES[WAYPOINTS][3] = {
    {0.5, 0, 0}, {1, 0, 0}, {1, 1, 0.4375}, {1, 1, 0.75}, {1, 1, 1}, {0.5, 0, 0}, {1, 0, 0}, {1, 0, 1}};
static const double ROUNDING = 1e-12;       /* of a tool limit's value */
static const double DISTANCE_ERROR = 1e-7;  /* what coal's distance of the same posture may differ by */
static const double BOUND_ERROR = 1e-9;     /* of a distance between segments */

typedef struct {
    int32_t joints, limits, pairs, shapes, tool_joint;
    const int32_t *parent;   /* (joints), -1 at the base */
    const int32_t *order;    /* (joints), place in the controlled order */
    const int32_t *sliding;  /* (joints), 1 where the joint slides */
    const double *constant, *cosine, *sine; /* (joints, 9): rotation in the parent is constant + cos cosine + sin sine */
    const double *offset;    /* (joints, 3), origin in the parent at zero */
    const double *axis;      /* (joints, 3), in the joint's own frame */
    const double *tool;      /* (3), the tool's origin in its joint's frame */
    const int32_t *kind;     /* (limits) */
    const double *numbers;   /* (limits, 6): centre, radius; unit normal inward, offset; lower, upper corner */
    const double *margin;    /* (limits) */
    const double *tool_lipschitz; /* (n) */
    const double *lipschitz; /* (pairs, n) */
    const int32_t *shape_joint; /* (shapes), -1 at the base */
    const double *segment;   /* (shapes, 6): ends of a segment in the joint's frame */
    const double *radius;    /* (shapes): every point of the shape is as near to the segment */
    const int32_t *pair;     /* (pairs, 2), shapes */
    const double *acceleration; /* (n) */
    double delay_s, hard_share, stop_distance, pair_margin, slow_distance, approach_speed;
    /* What `begin` is given and what it finds. */
    double *position, *last_sent;  /* (n) */
    double *starts;          /* (2, n) */
    double *values;          /* (2, limits) of the tool limits at the starts */
    double *least;           /* (2, pairs) of the distances at the starts: the distance itself where it matters */
    int32_t *asked;          /* (2 pairs) pairs whose distance must be measured at a start */
    /* What `check` is given and what it finds. */
    double *velocity;        /* (n) */
    double *positions;       /* (WAYPOINTS, n) */
    double *rate;            /* (n), derivative of the way while braking */
    int32_t *found;          /* (WAYPOINTS (limits + pairs), 2): waypoint and limit or pair */
    double *excess;          /* (WAYPOINTS limits) of tool limits */
    double *queries;         /* (WAYPOINTS pairs, 2): least distance, how far links can move from there to standstill */
    /* What the gradients are given and what they return. */
    double *point;           /* (9): two points and a direction, base frame */
    double *gradient;        /* (n) */
    double period_s;
    int32_t count;           /* of waypoints */
} Arm;

typedef struct {
    double rotation[MAX_JOINTS][9], origin[MAX_JOINTS][3];
} Placement;

static void kinematics(const Arm *arm, const double *q, Placement *at) {
    for (int j = 0; j < arm->joints; j++) {
        const double value = q[arm->order[j]], *k = arm->constant + 9 * j, *p = arm->offset + 3 * j;
        double local[9], shift[3] = {p[0], p[1], p[2]};
        if (arm->sliding[j]) {
            const double *a = arm->axis + 3 * j;
            for (int i = 0; i < 9; i++) local[i] = k[i];
            for (int i = 0; i < 3; i++)
                shift[i] += value * (k[3 * i] * a[0] + k[3 * i + 1] * a[1] + k[3 * i + 2] * a[2]);
        } else {
            const double c = cos(value), s = sin(value);
            for (int i = 0; i < 9; i++) local[i] = k[i] + c * arm->cosine[9 * j + i] + s * arm->sine[9 * j + i];
        }
        double *rotation = at->rotation[j], *origin = at->origin[j];
        const int parent = arm->parent[j];
        if (parent < 0) {
            for (int i = 0; i < 9; i++) rotation[i] = local[i];
            for (int i = 0; i < 3; i++) origin[i] = shift[i];
            continue;
        }
        const double *before = at->rotation[parent], *base = at->origin[parent];
        for (int i = 0; i < 3; i++) {
            const double x = before[3 * i], y = before[3 * i + 1], z = before[3 * i + 2];
            origin[i] = base[i] + x * shift[0] + y * shift[1] + z * shift[2];
            for (int k2 = 0; k2 < 3; k2++) rotation[3 * i + k2] = x * local[k2] + y * local[3 + k2] + z * local[6 + k2];
        }
    }
}

static void place(const Placement *at, int joint, const double *local, double *point) {
    if (joint < 0) {
        for (int i = 0; i < 3; i++) point[i] = local[i];
        return;
    }
    const double *rotation = at->rotation[joint];
    for (int i = 0; i < 3; i++)
        point[i] = at->origin[joint][i] + rotation[3 * i] * local[0] + rotation[3 * i + 1] * local[1] +
                   rotation[3 * i + 2] * local[2];
}

static double dot(const double *a, const double *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

static double limit_value(const Arm *arm, int limit, const double *p) {
    const double *x = arm->numbers + 6 * limit;
    if (arm->kind[limit] == SPHERE) {
        const double a = p[0] - x[0], b = p[1] - x[1], c = p[2] - x[2];
        return sqrt(a * a + b * b + c * c) - x[3];
    }
    if (arm->kind[limit] == HALF_SPACE) return x[3] - dot(x, p);
    if (!isfinite(p[0] + p[1] + p[2])) return NAN;
    double least = INFINITY;
    for (int i = 0; i < 3; i++) least = fmin(least, fmin(p[i] - x[i], x[3 + i] - p[i]));
    return least;
}

static void limit_normal(const Arm *arm, int limit, const double *p, double *normal) {
    const double *x = arm->numbers + 6 * limit;
    if (arm->kind[limit] == SPHERE) {
        const double d[3] = {p[0] - x[0], p[1] - x[1], p[2] - x[2]}, length = sqrt(dot(d, d));
        for (int i = 0; i < 3; i++) normal[i] = length < 1e-9 ? (i == 2) : d[i] / length;
    } else if (arm->kind[limit] == HALF_SPACE) {
        for (int i = 0; i < 3; i++) normal[i] = -x[i];
    } else {
        int below = 0, above = 0;
        for (int i = 1; i < 3; i++) {
            if (p[i] - x[i] < p[below] - x[below]) below = i;
            if (x[3 + i] - p[i] < x[3 + above] - p[above]) above = i;
        }
        for (int i = 0; i < 3; i++) normal[i] = 0.0;
        if (p[below] - x[below] <= x[3 + above] - p[above]) normal[below] = 1.0;
        else normal[above] = -1.0;
    }
}

/* Squared distance of two segments (6) each, after Ericson, Real-Time Collision Detection, 5.1.9. */
static double segments(const double *one, const double *two) {
    double d1[3], d2[3], r[3], s = 0.0, t = 0.0;
    for (int i = 0; i < 3; i++) {
        d1[i] = one[3 + i] - one[i];
        d2[i] = two[3 + i] - two[i];
        r[i] = one[i] - two[i];
    }
    const double a = dot(d1, d1), e = dot(d2, d2), f = dot(d2, r), c = dot(d1, r), b = dot(d1, d2);
    const double tiny = 1e-18, across = a * e - b * b;
    if (a > tiny && e > tiny) {
        if (across > tiny * a * e) s = fmin(fmax((b * f - c * e) / across, 0.0), 1.0);
        t = (b * s + f) / e;
        if (t < 0.0) { t = 0.0; s = fmin(fmax(-c / a, 0.0), 1.0); }
        else if (t > 1.0) { t = 1.0; s = fmin(fmax((b - c) / a, 0.0), 1.0); }
    } else if (a > tiny) s = fmin(fmax(-c / a, 0.0), 1.0);
    else if (e > tiny) t = fmin(fmax(f / e, 0.0), 1.0);
    double gap[3];
    for (int i = 0; i < 3; i++) gap[i] = r[i] + s * d1[i] - t * d2[i];
    return dot(gap, gap);
}

/* What the distance of a pair is at least: that of the capsules around its shapes. */
static double apart(const Arm *arm, const Placement *at, int pair) {
    double ends[2][6], radius = 0.0;
    for (int side = 0; side < 2; side++) {
        const int shape = arm->pair[2 * pair + side];
        place(at, arm->shape_joint[shape], arm->segment + 6 * shape, ends[side]);
        place(at, arm->shape_joint[shape], arm->segment + 6 * shape + 3, ends[side] + 3);
        radius += arm->radius[shape];
    }
    return sqrt(segments(ends[0], ends[1])) - radius - BOUND_ERROR;
}

static double reach(const double *lipschitz, const double *from, const double *to, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++) sum += lipschitz[i] * fabs(to[i] - from[i]);
    return sum;
}

/* A step begins: fills starts, values and least. Returns how many distances must be measured at the first start
   (bits 0 to 15) and at the second (the rest), whose pairs are then in `asked`, one after the other. */
int32_t begin(Arm *arm) {
    const int n = arm->joints, m = arm->limits, pairs = arm->pairs;
    int moving = 0, asked[2] = {0, 0};
    for (int i = 0; i < n; i++) {
        const double drift = arm->delay_s * arm->last_sent[i];
        moving |= !(drift == 0.0);
        arm->starts[i] = arm->position[i] + drift;
        arm->starts[n + i] = arm->position[i];
    }
    arm->count = moving ? WAYPOINTS : FROM_NOW;
    for (int start = 0; start <= moving; start++) {
        Placement at;
        double point[3];
        kinematics(arm, arm->starts + n * start, &at);
        place(&at, arm->tool_joint, arm->tool, point);
        for (int k = 0; k < m; k++) arm->values[m * start + k] = limit_value(arm, k, point);
        /* Distances matter below these: there the exact one is asked for. */
        const double matters = start ? arm->stop_distance + arm->pair_margin + DISTANCE_ERROR : arm->slow_distance;
        for (int k = 0; k < pairs; k++) {
            const double least = apart(arm, &at, k);
            arm->least[pairs * start + k] = least;
            if (!(least >= matters)) arm->asked[asked[0] + asked[1]] = k, asked[start]++;
        }
    }
    return asked[0] | asked[1] << 16;
}

static void path(Arm *arm, int hard) {
    const int n = arm->joints;
    const double period = arm->period_s, extra = hard ? 0.0 : arm->delay_s;
    for (int i = 0; i < n; i++) {
        const double v = arm->velocity[i], speed = fabs(v), step = arm->acceleration[i] * period;
        const double steps = floor(speed / step), rate = period * steps;
        const double way = copysign(rate * (speed - 0.5 * step * (steps + 1.0)), v);
        arm->rate[i] = rate;
        for (int w = 0; w < arm->count; w++)
            arm->positions[n * w + i] = arm->starts[(w < FROM_NOW ? 0 : n) + i] +
                                        (SHARES[w][0] * period + SHARES[w][1] * extra) * v + SHARES[w][2] * way;
    }
}

static int tool_violations(Arm *arm, Placement *at, int *placed, int hard, int only_first) {
    const int n = arm->joints, m = arm->limits;
    int found = 0, any_beyond = 0;
    double free = INFINITY;
    for (int k = 0; k < m; k++) {
        const double bound = -arm->margin[k] * (hard ? arm->hard_share : 1.0), spare = bound - arm->values[k];
        if (!(spare >= free)) free = spare;
        for (int start = 0; start < (arm->count > FROM_NOW ? 2 : 1); start++)
            any_beyond |= !(arm->values[m * start + k] <= bound);
    }
    double least[2][64];
    for (int k = 0; k < m; k++) least[0][k] = least[1][k] = INFINITY;
    for (int w = 0; w < arm->count; w++) {
        const double *q = arm->positions + n * w;
        const int start = w >= FROM_NOW;
        if (!any_beyond && reach(arm->tool_lipschitz, arm->starts, q, n) <= free) continue;
        double point[3];
        if (!placed[w]) kinematics(arm, q, at + w), placed[w] = 1;
        place(at + w, arm->tool_joint, arm->tool, point);
        for (int k = 0; k < m; k++) {
            const double value = limit_value(arm, k, point), accepted = -arm->margin[k] * (hard ? arm->hard_share : 1.0);
            double bound = accepted;
            if (!(arm->values[m * start + k] <= bound)) { /* beyond already: never further */
                bound = arm->values[m * start + k];
                if (bound > 0.0) { /* outside: what has come nearer stays nearer */
                    bound = fmin(fmin(least[start][k], bound), value + ROUNDING);
                    least[start][k] = bound;
                    bound = fmax(bound, accepted);
                }
            }
            if (!(value <= bound + ROUNDING)) {
                arm->found[2 * found] = w;
                arm->found[2 * found + 1] = k;
                arm->excess[found++] = value - bound;
                if (only_first) return found;
            }
        }
    }
    return found;
}

static int pair_queries(Arm *arm, Placement *at, int *placed, int found, int hard) {
    static const int ORDER[WAYPOINTS] = {STANDSTILL, 0, 1, 2, 3, 5, 6, 7};
    const int n = arm->joints, pairs = arm->pairs;
    const double stop = arm->stop_distance + arm->pair_margin * (hard ? arm->hard_share : 1.0);
    double farthest[MAX_JOINTS];
    int asked = 0;
    for (int i = 0; i < n; i++) {
        farthest[i] = 0.0;
        for (int w = 0; w < arm->count; w++) {
            const double away = fabs(arm->positions[n * w + i] - arm->starts[i]);
            if (!(away <= farthest[i])) farthest[i] = away;
        }
    }
    for (int k = 0; k < pairs; k++) {
        const double *lipschitz = arm->lipschitz + n * k, now = arm->least[k];
        const double bound_now = fmin(now - DISTANCE_ERROR, stop);
        double bound_then = bound_now, bound_after = bound_now, moved = 0.0;
        if (arm->count > FROM_NOW) bound_then = fmin(arm->least[pairs + k] - DISTANCE_ERROR, stop);
        if (!hard && !(now >= arm->slow_distance)) {
            const double width = arm->slow_distance - arm->stop_distance;
            const double share = fmax((now - arm->stop_distance) / width, 0.0);
            bound_after = fmax(bound_now, now - DISTANCE_ERROR - arm->approach_speed * arm->period_s * share);
        }
        for (int i = 0; i < n; i++) moved += lipschitz[i] * farthest[i];
        if (now - moved >= bound_now && now - moved >= bound_after && now - moved >= bound_then) continue;
        for (int o = 0; o < arm->count; o++) {
            const int w = ORDER[o];
            const double *q = arm->positions + n * w;
            const double bound = w == AFTER_PERIOD ? bound_after : w >= MEASURED ? bound_then : bound_now;
            if (w == WITHIN_PERIOD || now - reach(lipschitz, arm->starts, q, n) >= bound) continue;
            if (!placed[w]) kinematics(arm, q, at + w), placed[w] = 1;
            if (apart(arm, at + w, k) >= bound) continue;
            arm->found[2 * (found + asked)] = w;
            arm->found[2 * (found + asked) + 1] = k;
            arm->queries[2 * asked] = bound;
            arm->queries[2 * asked++ + 1] = reach(lipschitz, arm->positions + n * STANDSTILL, q, n);
        }
    }
    return asked;
}

/* The braking path of `velocity`. Returns how many tool limits are violated (bits 0 to 15) and how many distances
   coal must be asked for (the rest); both are in `found`, with `excess` and `queries`. */
int32_t check(Arm *arm, int32_t hard, int32_t only_first, int32_t tool_first) {
    Placement at[WAYPOINTS];
    int placed[WAYPOINTS] = {0}, asked = 0;
    path(arm, hard);
    const int found = tool_violations(arm, at, placed, hard, only_first);
    if (!(found && (only_first || tool_first))) asked = pair_queries(arm, at, placed, found, hard);
    return found | asked << 16;
}

static void add_motion(const Arm *arm, const Placement *at, int joint, const double *point, const double *way, double sign) {
    for (; joint >= 0; joint = arm->parent[joint]) {
        const double *rotation = at->rotation[joint], *a = arm->axis + 3 * joint, *o = at->origin[joint];
        double axis[3];
        for (int i = 0; i < 3; i++) axis[i] = dot(rotation + 3 * i, a);
        if (arm->sliding[joint]) {
            arm->gradient[arm->order[joint]] += sign * dot(axis, way);
            continue;
        }
        const double x = point[0] - o[0], y = point[1] - o[1], z = point[2] - o[2];
        const double moved[3] = {axis[1] * z - axis[2] * y, axis[2] * x - axis[0] * z, axis[0] * y - axis[1] * x};
        arm->gradient[arm->order[joint]] += sign * dot(moved, way);
    }
}

/* Derivative of a tool limit's value by the joint position, at `position`. */
void tool_gradient(Arm *arm, int32_t limit) {
    Placement at;
    double point[3], normal[3];
    kinematics(arm, arm->position, &at);
    place(&at, arm->tool_joint, arm->tool, point);
    limit_normal(arm, limit, point, normal);
    for (int i = 0; i < arm->joints; i++) arm->gradient[i] = 0.0;
    add_motion(arm, &at, arm->tool_joint, point, normal, 1.0);
}

/* Derivative of a pair's distance by the joint position, at `position`, from the nearest points and the direction
   from the first shape to the second in `point`. */
void pair_gradient(Arm *arm, int32_t pair) {
    Placement at;
    kinematics(arm, arm->position, &at);
    for (int i = 0; i < arm->joints; i++) arm->gradient[i] = 0.0;
    add_motion(arm, &at, arm->shape_joint[arm->pair[2 * pair]], arm->point, arm->point + 6, -1.0);
    add_motion(arm, &at, arm->shape_joint[arm->pair[2 * pair + 1]], arm->point + 3, arm->point + 6, 1.0);
}
