//! Head, neck, face and hair as implicit solids.

use glam::Vec3;

use super::skeleton::Landmarks;
use super::solid::{capsule, ellipsoid, smooth_max, smooth_min, smoothstep};
use super::{CharacterParameters, HairStyle};

/// Places on the standard head: metres from the lower end of the chin, left side.
pub(super) mod place {
    use glam::Vec3;

    pub(in super::super) const EYE: Vec3 = Vec3::new(0.0315, -0.0655, 0.1130);
    pub(in super::super) const EYE_RADIUS: f32 = 0.0165;
    pub(super) const MOUTH: Vec3 = Vec3::new(0.0, -0.0840, 0.0475);
}

/// The head of one person.
pub(super) struct Head {
    /// Lower end of the chin, model space.
    origin: Vec3,
    /// Metres per metre of the standard head.
    scale: f32,
    /// 0 adult … 1 child.
    youth: f32,
    /// −1 … 1, see [`CharacterParameters::frame`].
    frame: f32,
    /// −1 … 1.
    build: f32,
    neck_base: Vec3,
    neck_top: Vec3,
    neck_radius: f32,
    style: HairStyle,
    shoulder: f32,
}

impl Head {
    pub(super) fn new(parameters: &CharacterParameters, l: &Landmarks) -> Self {
        let CharacterParameters {
            youth,
            frame,
            build,
            hair_style,
            ..
        } = *parameters;
        let neck_radius = l.scale
            * (0.0535 + 0.003 * frame + 0.008 * build)
            * (1.0 - 0.10 * youth)
            * (1.0 + 0.1 * youth);
        Self {
            origin: Vec3::new(0.0, 0.0, l.chin),
            scale: l.head_scale,
            youth,
            frame,
            build,
            neck_base: l.neck + Vec3::new(0.0, 0.006 * l.scale, -0.02 * l.scale),
            neck_top: Vec3::new(0.0, 0.014 * l.head_scale, l.chin + 0.05 * l.head_scale),
            neck_radius,
            style: hair_style,
            shoulder: l.shoulder.z,
        }
    }

    /// From the standard head's places to the model.
    pub(super) fn model_from_standard(&self, p: Vec3) -> Vec3 {
        self.origin + p * self.scale
    }

    pub(super) fn scale(&self) -> f32 {
        self.scale
    }

    fn standard_from_model(&self, p: Vec3) -> Vec3 {
        (p - self.origin) / self.scale
    }

    /// Head and neck without hair.
    pub(super) fn distance(&self, p: Vec3) -> f32 {
        let neck = capsule(
            p,
            self.neck_base,
            self.neck_top,
            self.neck_radius * 1.06,
            self.neck_radius * 0.96,
        );
        smooth_min(
            self.face(self.standard_from_model(p)) * self.scale,
            neck,
            0.028 * self.scale,
        )
    }

    /// The head itself, standard space.
    fn face(&self, q: Vec3) -> f32 {
        let near = Vec3::new(q.x.abs(), q.y, q.z);
        let skull = ellipsoid(
            q,
            Vec3::new(0.0, 0.012, 0.1400),
            Vec3::new(0.0765, 0.0960, 0.0960),
        );
        if skull > 0.15 {
            return skull - 0.08;
        }
        let full = 0.005 * self.build + 0.006 * self.youth;
        let jaw = ellipsoid(
            q,
            Vec3::new(0.0, -0.018, 0.070),
            Vec3::new(0.0575 + full + 0.003 * self.frame, 0.0640, 0.0660),
        );
        let cheek = ellipsoid(
            near,
            Vec3::new(0.033, -0.046, 0.080),
            Vec3::new(0.029 + full, 0.028, 0.030),
        );
        let chin = ellipsoid(
            q,
            Vec3::new(0.0, -0.063, 0.020),
            Vec3::new(0.0225 + 0.004 * self.frame, 0.0185, 0.0185),
        );
        let mut d = smooth_min(skull, jaw, 0.045);
        d = smooth_min(d, cheek, 0.030);
        d = smooth_min(d, chin, 0.034);
        let brow = capsule(
            near,
            Vec3::new(0.008, -0.0790, 0.1330),
            Vec3::new(0.047, -0.0620, 0.1350),
            0.0080,
            0.0080,
        );
        d = smooth_min(d, brow, 0.016 + 0.006 * self.youth);
        // The eye's socket.
        let socket = ellipsoid(
            near,
            place::EYE + Vec3::new(0.0015, -0.0170, 0.0005),
            Vec3::new(0.0200, 0.0150, 0.0150),
        );
        d = smooth_max(d, -socket, 0.012);
        // The nose: bridge, tip, wings.
        let small = 1.0 - 0.22 * self.youth - 0.06 * (-self.frame).max(0.0);
        let tip = Vec3::new(0.0, -0.0860 - 0.0190 * small, 0.0790);
        let bridge = capsule(
            q,
            Vec3::new(0.0, -0.0800, 0.1200),
            tip + Vec3::new(0.0, 0.003, 0.004),
            0.0065,
            0.0095 * small,
        );
        let ball = ellipsoid(q, tip, Vec3::new(0.0120, 0.0105, 0.0100) * small);
        let wing = ellipsoid(
            near,
            Vec3::new(0.0115 * small, -0.0905, 0.0755),
            Vec3::new(0.0075, 0.0095, 0.0070) * small,
        );
        let nose = smooth_min(smooth_min(bridge, ball, 0.010), wing, 0.007);
        d = smooth_min(d, nose, 0.011);
        // The lips: two ridges with a line between.
        let lips = self.lips(near);
        d = smooth_min(d, lips, 0.010);
        let line = capsule(
            near,
            place::MOUTH + Vec3::new(0.0, -0.0150, 0.0),
            place::MOUTH + Vec3::new(0.0240, 0.0020, 0.0032),
            0.0042,
            0.0030,
        );
        d = smooth_max(d, -line, 0.005);
        smooth_min(d, Self::ear(near), 0.008)
    }

    fn lips(&self, near: Vec3) -> f32 {
        let full = 1.0 - 0.2 * self.frame.max(0.0);
        let upper = capsule(
            near,
            place::MOUTH + Vec3::new(0.004, -0.0012, 0.0046),
            place::MOUTH + Vec3::new(0.0205, 0.0065, 0.0012),
            0.0056 * full,
            0.0030,
        );
        let lower = capsule(
            near,
            place::MOUTH + Vec3::new(0.000, -0.0002, -0.0056),
            place::MOUTH + Vec3::new(0.0175, 0.0060, -0.0022),
            0.0064 * full,
            0.0030,
        );
        smooth_min(upper, lower, 0.003)
    }

    /// Whether a point of the face is lip red.
    pub(super) fn is_lip(&self, p: Vec3) -> bool {
        let q = self.standard_from_model(p) - place::MOUTH;
        let x = q.x.abs() / 0.0255;
        if q.y > 0.03 || x >= 1.0 || self.standard_from_model(p).y > -0.04 {
            return false;
        }
        // Cupid's bow above, a plain arc below.
        let arc = 1.0 - x * x;
        let bow = 0.0018 * libm::cosf((x * 2.6).min(1.0) * core::f32::consts::PI);
        let full = 0.86 - 0.22 * self.frame.max(0.0);
        // Corners a little up.
        let smile = 0.0030 * x * x;
        let upper = full * (0.0085 * arc - bow * arc) + smile;
        let lower = -0.0112 * arc * full + smile;
        q.z < upper && q.z > lower
    }

    fn ear(near: Vec3) -> f32 {
        // Turned a little outward at the back.
        let q = near - Vec3::new(0.0770, 0.0120, 0.1040);
        let (c, s) = (0.94, 0.34);
        let turned = Vec3::new(c * q.x - s * q.y, s * q.x + c * q.y, q.z);
        let lean = Vec3::new(turned.x, turned.y - 0.18 * turned.z, turned.z);
        let shell = ellipsoid(lean, Vec3::ZERO, Vec3::new(0.0105, 0.0195, 0.0310));
        let hollow = ellipsoid(
            lean,
            Vec3::new(0.0110, -0.0035, 0.003),
            Vec3::new(0.0075, 0.0110, 0.0200),
        );
        smooth_max(shell, -hollow, 0.006)
    }

    /// How far hair rises above the crown, metres.
    pub(super) fn hair_height(&self) -> f32 {
        let standard = match self.style {
            HairStyle::Bald => 0.0,
            HairStyle::Buzz => 0.006,
            HairStyle::Curly => 0.075,
            HairStyle::Bun | HairStyle::Short => 0.035,
            _ => 0.025,
        };
        standard * self.scale
    }

    /// Hair alone; far away where there is none.
    pub(super) fn hair(&self, p: Vec3) -> f32 {
        if self.style == HairStyle::Bald {
            return 1.0;
        }
        if p.z < self.shoulder - 0.22 * self.scale {
            return 0.3;
        }
        self.hair_standard(self.standard_from_model(p)) * self.scale
    }

    fn hair_standard(&self, q: Vec3) -> f32 {
        let near = Vec3::new(q.x.abs(), q.y, q.z);
        let centre = Vec3::new(0.0, 0.012, 0.1400);
        let skull = |grown: Vec3| {
            ellipsoid(
                q,
                centre + Vec3::new(0.0, 0.0, 0.0),
                Vec3::new(0.0765, 0.0960, 0.0960) + grown,
            )
        };
        if skull(Vec3::ZERO) > 0.42 {
            return 0.25;
        }
        // Locks: fine waves across the direction of growth, from the crown down.
        let around = libm::atan2f(q.y - 0.03, q.x);
        let locks = |count: f32, depth: f32| {
            depth * libm::sinf(around * count + 3.0 * libm::sinf(around * 3.0) + 18.0 * q.z)
        };
        // The face that hair leaves free: in front of a slanted plane, below the hairline.
        let peak = 0.004 * libm::cosf(q.x * 60.0);
        let hairline = q.z - (0.1915 + peak - 0.9 * q.x * q.x / 0.08);
        let front = q.y - (-0.030 + 0.30 * (q.z - 0.14) + 0.1 * near.x);
        let face = smooth_max(hairline, front, 0.018);
        let nape = |z: f32| z + 0.10 * (0.05 - q.y).max(0.0) - q.z;
        let ear = ellipsoid(
            near,
            Vec3::new(0.084, 0.008, 0.102),
            Vec3::new(0.030, 0.031, 0.040),
        );
        match self.style {
            HairStyle::Bald => 1.0,
            HairStyle::Buzz => {
                let cap = skull(Vec3::splat(0.0045));
                let cap = smooth_max(cap, -face, 0.003);
                let cap = smooth_max(cap, -ear, 0.004);
                smooth_max(cap, nape(0.062), 0.006)
            }
            HairStyle::Short => {
                let top = smoothstep(0.13, 0.20, q.z);
                let cap = skull(Vec3::new(0.009 + 0.005 * top, 0.012, 0.013 + 0.010 * top));
                let quiff = ellipsoid(
                    q,
                    Vec3::new(0.006, -0.056, 0.212),
                    Vec3::new(0.050, 0.040, 0.028),
                );
                let cap = smooth_min(cap, quiff, 0.03) + locks(17.0, 0.0018);
                let cap = smooth_max(cap, -face, 0.010);
                let cap = smooth_max(cap, -ear, 0.008);
                smooth_max(cap, nape(0.050), 0.012)
            }
            HairStyle::Curly => {
                let ball = ellipsoid(
                    q,
                    centre + Vec3::new(0.0, 0.012, 0.022),
                    Vec3::new(0.125, 0.128, 0.122),
                );
                let curls = 0.0045
                    * libm::sinf(q.x * 150.0)
                    * libm::sinf(q.y * 150.0 + 1.0)
                    * libm::sinf(q.z * 150.0 + 2.0);
                let cap = ball + curls * 1.6;
                let cap = smooth_max(cap, -face, 0.020);
                smooth_max(cap, nape(0.035), 0.04)
            }
            HairStyle::Bob => {
                let cap = Self::curtain(q, near, 0.020, locks(19.0, 0.0016));
                smooth_max(smooth_max(cap, -face, 0.012), 0.024 - q.z, 0.014)
            }
            HairStyle::Long => {
                let cap = Self::curtain(q, near, -0.12, locks(19.0, 0.0018));
                smooth_max(smooth_max(cap, -face, 0.012), -0.115 - q.z, 0.02)
            }
            HairStyle::Bun | HairStyle::Ponytail => {
                let cap = skull(Vec3::new(0.009, 0.011, 0.012)) + locks(23.0, 0.0012);
                let cap = smooth_max(cap, -face, 0.008);
                let cap = smooth_max(cap, -ear, 0.008);
                let cap = smooth_max(cap, nape(0.052), 0.010);
                if self.style == HairStyle::Bun {
                    let bun = ellipsoid(
                        q,
                        Vec3::new(0.0, 0.098, 0.208),
                        Vec3::new(0.041, 0.038, 0.038),
                    );
                    smooth_min(cap, bun + locks(9.0, 0.0015), 0.012)
                } else {
                    let root = Vec3::new(0.0, 0.105, 0.175);
                    let bend = Vec3::new(0.0, 0.148, 0.130);
                    let tip = Vec3::new(0.0, 0.138, -0.030);
                    let tail = smooth_min(
                        capsule(q, root, bend, 0.017, 0.025),
                        capsule(q, bend, tip, 0.026, 0.010),
                        0.02,
                    );
                    smooth_min(cap, tail + locks(11.0, 0.0012), 0.012)
                }
            }
        }
    }

    /// Hair that hangs from the head straight down to `low` (standard space).
    fn curtain(q: Vec3, near: Vec3, low: f32, locks: f32) -> f32 {
        let cap = ellipsoid(
            q,
            Vec3::new(0.0, 0.014, 0.1400),
            Vec3::new(0.0930, 0.1120, 0.1130),
        );
        // Around the back and the sides; the face stays free.
        let t = smoothstep(0.15, low, q.z);
        let (half, depth) = (0.0925 + 0.012 * t, 0.104 + 0.006 * t);
        let y = q.y - 0.016;
        let (x, b) = (q.x / half, y / depth);
        let norm = libm::sqrtf(x * x + b * b).max(1e-3);
        let radius = libm::sqrtf(q.x * q.x + y * y);
        let wall = radius * (1.0 - 1.0 / norm);
        let wall = smooth_max(wall, q.z - 0.15, 0.03);
        let front = -0.012 - q.y + 0.05 * (0.15 - q.z).max(0.0) - 0.10 * near.x;
        let wall = smooth_max(wall, front, 0.016);
        smooth_min(cap, wall, 0.02) + locks
    }
}
