//! Implicit solids: functions that are negative inside, zero on the surface, and close to the
//! distance near it.

use glam::Vec3;

/// Union whose crease is rounded over about `k` metres (quadratic polynomial, Quilez).
pub(super) fn smooth_min(a: f32, b: f32, k: f32) -> f32 {
    let h = (k - (a - b).abs()).max(0.0) / k;
    a.min(b) - h * h * k * 0.25
}

/// Intersection, rounded likewise.
pub(super) fn smooth_max(a: f32, b: f32, k: f32) -> f32 {
    -smooth_min(-a, -b, k)
}

/// 0 up to `low`, 1 from `high` on, smooth between.
pub(in super::super) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Ball with three radii. Exact on the surface, a bound elsewhere (Quilez).
pub(super) fn ellipsoid(p: Vec3, centre: Vec3, radii: Vec3) -> f32 {
    let q = p - centre;
    let k0 = (q / radii).length();
    let k1 = (q / (radii * radii)).length();
    if k1 < 1e-6 {
        return -radii.min_element();
    }
    k0 * (k0 - 1.0) / k1
}

/// Segment with a radius at each end, linear between (not the hull of the two balls: simpler, and
/// as good for radii that differ little).
pub(super) fn capsule(p: Vec3, a: Vec3, b: Vec3, radius_a: f32, radius_b: f32) -> f32 {
    let ab = b - a;
    let t = ((p - a).dot(ab) / ab.length_squared()).clamp(0.0, 1.0);
    p.distance(a + ab * t) - (radius_a + (radius_b - radius_a) * t)
}

/// One cross-section of a [`Loft`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    /// Where along the axis, metres.
    pub(super) along: f32,
    /// Half width, depth in front (towards −v), depth behind, and how far the centre is moved along v;
    /// metres.
    pub(super) shape: [f32; 4],
}

pub(super) const fn section(along: f32, half: f32, front: f32, back: f32, shift: f32) -> Section {
    Section {
        along,
        shape: [half, front, back, shift],
    }
}

/// A limb or trunk: rounded cross-sections along a straight axis, splined, with round ends.
#[derive(Debug, Clone)]
pub(super) struct Loft {
    origin: Vec3,
    axis: Vec3,
    u: Vec3,
    v: Vec3,
    /// By ascending `along`; at least two.
    sections: Vec<Section>,
    /// Share of a rounder-than-square fourth-power norm: 0 ellipse … 1 squircle.
    squareness: f32,
    reach: f32,
}

impl Loft {
    /// `axis` and `u` are unit and at right angles; v = axis × u completes them.
    pub(super) fn new(
        origin: Vec3,
        axis: Vec3,
        u: Vec3,
        squareness: f32,
        sections: Vec<Section>,
    ) -> Self {
        let reach = sections.iter().flat_map(|s| s.shape).fold(0.0, f32::max);
        Self {
            origin,
            axis,
            u,
            v: axis.cross(u),
            sections,
            squareness,
            reach,
        }
    }

    /// Metres along the axis from the origin.
    pub(super) fn along(&self, p: Vec3) -> f32 {
        (p - self.origin).dot(self.axis)
    }

    /// About the distance to the surface.
    pub(super) fn distance(&self, p: Vec3) -> f32 {
        let q = p - self.origin;
        let (along, u, v) = (q.dot(self.axis), q.dot(self.u), q.dot(self.v));
        let (first, last) = (
            self.sections[0].along,
            self.sections[self.sections.len() - 1].along,
        );
        let inside = along.clamp(first, last);
        let beyond = (along - inside).abs();
        let far = libm::sqrtf(u * u + v * v + beyond * beyond) - 2.0 * self.reach;
        if far > 0.1 {
            // Nothing near here is on the surface.
            return far;
        }
        let [half, front, back, shift] = self.shape(inside);
        let v = v - shift;
        let depth = if v < 0.0 { front } else { back };
        let (x, y, z) = (u / half, v / depth, beyond / half.min(depth));
        let (xx, yy, zz) = (x * x, y * y, z * z);
        let round = libm::sqrtf(xx + yy + zz);
        let square = libm::sqrtf(libm::sqrtf(xx * xx + yy * yy + zz * zz));
        let norm = round + (square - round) * self.squareness;
        if norm < 1e-3 {
            return -half.min(depth);
        }
        // Along the ray from the centre.
        let length = libm::sqrtf(u * u + v * v + beyond * beyond);
        length * (1.0 - 1.0 / norm)
    }

    /// Cubic Hermite spline through the sections; tangents are the slopes of the neighbours.
    fn shape(&self, along: f32) -> [f32; 4] {
        let keys = &self.sections;
        let last = keys.len() - 1;
        let i = keys[1..last]
            .iter()
            .take_while(|s| s.along <= along)
            .count();
        let (a, b) = (&keys[i], &keys[i + 1]);
        let width = b.along - a.along;
        let t = (along - a.along) / width;
        let slope = |k: usize, c: usize| {
            let (low, high) = (&keys[k.saturating_sub(1)], &keys[(k + 1).min(last)]);
            (high.shape[c] - low.shape[c]) / (high.along - low.along) * width
        };
        let (t2, t3) = (t * t, t * t * t);
        [0, 1, 2, 3].map(|c| {
            (2.0 * t3 - 3.0 * t2 + 1.0) * a.shape[c]
                + (t3 - 2.0 * t2 + t) * slope(i, c)
                + (3.0 * t2 - 2.0 * t3) * b.shape[c]
                + (t3 - t2) * slope(i + 1, c)
        })
    }
}

/// Value and gradient by four evaluations at the corners of a tetrahedron of half size `h`.
pub(super) fn gradient(f: impl Fn(Vec3) -> f32, p: Vec3, h: f32) -> (f32, Vec3) {
    const CORNERS: [Vec3; 4] = [
        Vec3::new(1.0, -1.0, -1.0),
        Vec3::new(-1.0, -1.0, 1.0),
        Vec3::new(-1.0, 1.0, -1.0),
        Vec3::new(1.0, 1.0, 1.0),
    ];
    let mut value = 0.0;
    let mut sum = Vec3::ZERO;
    for corner in CORNERS {
        let at = f(p + corner * h);
        value += at * 0.25;
        sum += corner * at;
    }
    (value, sum / (4.0 * h))
}

/// Closer than this, metres, is on the surface.
const ON_SURFACE: f32 = 2e-5;

/// Newton's steps along the gradient to the zero set, none longer than `longest` metres.
pub(super) fn onto_surface(
    f: impl Fn(Vec3) -> f32,
    mut p: Vec3,
    steps: usize,
    longest: f32,
) -> Vec3 {
    for _ in 0..steps {
        let (value, slope) = gradient(&f, p, 5e-4);
        if value.abs() < ON_SURFACE {
            break;
        }
        let step = slope * (value / slope.length_squared().max(1e-3));
        p -= step.clamp_length_max(longest);
    }
    p
}
