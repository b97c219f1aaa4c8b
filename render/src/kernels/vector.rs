//! Vectors and colours of any [`Real`].

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use glam::Vec3;

use super::real::Real;

/// Three numbers, each maybe of several lanes. The operations are glam's of [`Vec3`], in the same order.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Vector3<R: Real> {
    /// First.
    pub x: R,
    /// Second.
    pub y: R,
    /// Third.
    pub z: R,
}

impl<R: Real> Vector3<R> {
    /// From its parts.
    #[inline(always)]
    pub fn new(x: R, y: R, z: R) -> Self {
        Self { x, y, z }
    }

    /// The same number three times.
    #[inline(always)]
    pub fn splat(x: R) -> Self {
        Self::new(x, x, x)
    }

    /// `v` in each lane.
    #[inline(always)]
    pub fn uniform(like: R, v: Vec3) -> Self {
        Self::new(like.like(v.x), like.like(v.y), like.like(v.z))
    }

    /// `lane(i)` in lane i.
    #[inline(always)]
    pub fn from_lanes(token: R::Token, lane: impl Fn(usize) -> Vec3) -> Self {
        Self::new(
            R::from_lanes(
                token,
                #[inline(always)]
                |i| lane(i).x,
            ),
            R::from_lanes(
                token,
                #[inline(always)]
                |i| lane(i).y,
            ),
            R::from_lanes(
                token,
                #[inline(always)]
                |i| lane(i).z,
            ),
        )
    }

    /// `f` of each part; its closure has to be `#[inline(always)]`, or it is compiled without the lanes'
    /// instructions.
    #[inline(always)]
    pub fn map(self, f: impl Fn(R) -> R) -> Self {
        Self::new(f(self.x), f(self.y), f(self.z))
    }

    /// `a` where `mask` is true, `b` elsewhere.
    #[inline(always)]
    pub fn select(mask: R::Mask, a: Self, b: Self) -> Self {
        Self::new(
            R::select(mask, a.x, b.x),
            R::select(mask, a.y, b.y),
            R::select(mask, a.z, b.z),
        )
    }

    /// self where `mask` is true, 0 elsewhere.
    #[inline(always)]
    pub fn only(self, mask: R::Mask) -> Self {
        Self::new(self.x.only(mask), self.y.only(mask), self.z.only(mask))
    }

    /// All parts are equal.
    #[inline(always)]
    pub fn eq(self, other: Self) -> R::Mask {
        self.x.eq(other.x) & self.y.eq(other.y) & self.z.eq(other.z)
    }

    /// Inner product.
    #[inline(always)]
    pub fn dot(self, other: Self) -> R {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    /// Euclidean length.
    #[inline(always)]
    pub fn length(self) -> R {
        self.dot(self).sqrt()
    }

    /// Of length 1; `fallback` where there is no direction.
    #[inline(always)]
    pub fn normalize_or(self, fallback: Self) -> Self {
        let recip = self.length().recip();
        let is_finite = recip.above(0.0) & recip.le(recip.like(f32::MAX));
        Self::select(is_finite, self * recip, fallback)
    }

    /// 1 − self.
    #[inline(always)]
    pub fn complement(self) -> Self {
        Self::new(
            self.x.complement(),
            self.y.complement(),
            self.z.complement(),
        )
    }

    /// Each part between 0 and 1.
    #[inline(always)]
    pub fn saturate(self) -> Self {
        Self::new(self.x.saturate(), self.y.saturate(), self.z.saturate())
    }

    /// Largest part.
    #[inline(always)]
    pub fn max_element(self) -> R {
        self.x.max(self.y.max(self.z))
    }

    /// Mean of the parts.
    #[inline(always)]
    pub fn mean(self) -> R {
        (self.x + self.y + self.z) * (1.0 / 3.0)
    }
}

impl<R: Real> Add for Vector3<R> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl<R: Real> AddAssign for Vector3<R> {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<R: Real> Sub for Vector3<R> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl<R: Real> Mul for Vector3<R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::new(self.x * other.x, self.y * other.y, self.z * other.z)
    }
}

impl<R: Real> Mul<R> for Vector3<R> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: R) -> Self {
        Self::new(self.x * factor, self.y * factor, self.z * factor)
    }
}

impl<R: Real> Div for Vector3<R> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self::new(self.x / other.x, self.y / other.y, self.z / other.z)
    }
}

impl<R: Real> Div<R> for Vector3<R> {
    type Output = Self;
    #[inline(always)]
    fn div(self, divisor: R) -> Self {
        Self::new(self.x / divisor, self.y / divisor, self.z / divisor)
    }
}

impl<R: Real> Neg for Vector3<R> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::new(-self.x, -self.y, -self.z)
    }
}

impl From<Vec3> for Vector3<f32> {
    #[inline(always)]
    fn from(v: Vec3) -> Self {
        Self::new(v.x, v.y, v.z)
    }
}

impl From<Vector3<f32>> for Vec3 {
    #[inline(always)]
    fn from(v: Vector3<f32>) -> Self {
        Self::new(v.x, v.y, v.z)
    }
}
