//! Scattering of sunlight in a clear or hazy atmosphere, in twelve spectral bands.
//!
//! Single scattering is integrated along each ray; further orders follow Hillaire 2020, "A Scalable
//! and Production Ready Sky and Atmosphere Rendering Technique" (isotropic from the second order on).
//! Lengths are kilometres, coefficients 1/km.

use core::f64::consts::PI as PI64;

/// Spectral bands of 30 nm, 370 … 730 nm.
pub(super) const BANDS: usize = 12;
/// One value per band.
pub(super) type Spectrum = [f32; BANDS];

/// Sun elevations accepted, degrees.
pub(super) const ELEVATION_DEG: (f32, f32) = (-6.0, 90.0);
/// Turbidities accepted (Linke's measure at 550 nm: total over molecular optical thickness).
pub(super) const TURBIDITY: (f32, f32) = (1.5, 10.0);

/// What the sky is like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Conditions {
    /// Elevation of the sun's centre above the horizon, degrees, in [`ELEVATION_DEG`].
    pub(super) elevation_deg: f32,
    /// In [`TURBIDITY`]: 2 very clear, 3 clear, 5 hazy, 10 murky.
    pub(super) turbidity: f32,
}

const GROUND_KM: f64 = 6371.0;
const TOP_KM: f64 = GROUND_KM + 100.0;
const RAYLEIGH_HEIGHT_KM: f64 = 8.0;
const MIE_HEIGHT_KM: f64 = 1.2;
/// Asymmetry of the aerosol phase function (continental aerosol).
pub(super) const MIE_G: f32 = 0.76;
/// Share of the aerosol extinction that scatters (continental aerosol).
const MIE_ALBEDO: f32 = 0.92;
/// Mean albedo of land, for light that the ground sends back up.
pub(super) const GROUND_ALBEDO: f32 = 0.18;
/// Angular radius of the sun, radians.
pub(super) const SUN_RADIUS_RAD: f64 = 0.004625;

/// Solar irradiance above the atmosphere, W/(m²·nm), 10-nm bins from 370 nm: ASTM G-173-03,
/// extraterrestrial column, averaged over each bin.
static SOLAR: [f32; BANDS * 3] = [
    1.14259, 1.01249, 1.14716, 1.72765, 1.73054, 1.6887, 1.61253, 1.91198, 2.03474, 2.02042,
    2.02212, 1.93377, 1.95809, 1.91686, 1.8298, 1.8685, 1.8931, 1.85149, 1.8504, 1.8341, 1.8345,
    1.8147, 1.78158, 1.7533, 1.6965, 1.68194, 1.64654, 1.6048, 1.52143, 1.55622, 1.5113, 1.474,
    1.4482, 1.41018, 1.36775, 1.34188,
];

/// Absorption cross-section of ozone at 233 K, 1e-26 m², 10-nm bins from 370 nm: Serdyuchenko et al.
/// 2014 (IUP Bremen), averaged over each bin.
static OZONE: [f32; BANDS * 3] = [
    0.02182, 0.02818, 0.06636, 0.1527, 0.2763, 0.552, 0.8451, 1.582, 2.316, 3.669, 4.924, 7.752,
    9.016, 14.80, 16.02, 21.39, 27.55, 30.91, 35.0, 42.66, 46.72, 43.98, 47.01, 50.19, 43.05,
    37.40, 32.15, 26.62, 22.38, 18.52, 14.73, 12.09, 9.423, 7.455, 6.566, 5.105,
];

/// Amounts of air, aerosol and ozone along a path, in km at the density of the ground (ozone: of the
/// middle of its layer).
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    air: f32,
    aerosol: f32,
    ozone: f32,
}

fn density(height_km: f64) -> Columns {
    let height = height_km.max(0.0);
    Columns {
        air: libm::expf((-height / RAYLEIGH_HEIGHT_KM) as f32),
        aerosol: libm::expf((-height / MIE_HEIGHT_KM) as f32),
        // A tent of 30 km around 25 km (Bruneton 2017).
        ozone: (1.0 - (height as f32 - 25.0).abs() / 15.0).max(0.0),
    }
}

/// An atmosphere of one turbidity with its tables.
pub(super) struct Atmosphere {
    rayleigh: Spectrum,
    mie: Spectrum,
    ozone: Spectrum,
    /// Towards space: `[height][angle]`.
    towards_space: Vec<Columns>,
    /// Radiance of light scattered twice or more, per unit scattering and unit solar irradiance:
    /// `[height][sun angle]`.
    multiple: Vec<Spectrum>,
}

const SPACE_HEIGHTS: usize = 40;
const SPACE_ANGLES: usize = 96;
const MULTIPLE_HEIGHTS: usize = 18;
const MULTIPLE_ANGLES: usize = 26;
/// Sun elevations of the multiple-scattering table, radians.
const MULTIPLE_LOWEST: f64 = -0.33;

/// Cosine between zenith and horizon seen from radius `r`.
fn horizon_cosine(r: f64) -> f64 {
    let share = (GROUND_KM / r).min(1.0);
    -(1.0 - share * share).sqrt()
}

/// Distance to the sphere of radius `sphere` from inside it.
fn distance_to_shell(r: f64, mu: f64, sphere: f64) -> f64 {
    let inside = r * r * (mu * mu - 1.0) + sphere * sphere;
    -r * mu + inside.max(0.0).sqrt()
}

/// Distance to the ground, if the ray meets it.
fn distance_to_ground(r: f64, mu: f64) -> Option<f64> {
    let inside = r * r * (mu * mu - 1.0) + GROUND_KM * GROUND_KM;
    (mu < horizon_cosine(r)).then(|| (-r * mu - inside.max(0.0).sqrt()).max(0.0))
}

fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

impl Atmosphere {
    /// Builds the tables; about a tenth of a second.
    pub(super) fn new(turbidity: f32) -> Self {
        let mut rayleigh = [0.0; BANDS];
        let mut mie = [0.0; BANDS];
        let mut ozone = [0.0; BANDS];
        // Rayleigh scattering 1.24062e-6 λ⁻⁴ 1/m, λ in µm (Bucholtz 1995, as in Bruneton 2017).
        let molecular = |micrometres: f32| {
            let square = micrometres * micrometres;
            1.24062e-3 / (square * square)
        };
        let thickness = molecular(0.55) * RAYLEIGH_HEIGHT_KM as f32;
        // Turbidity is the total over the molecular thickness, both vertical at 550 nm.
        let aerosol_at_550 = (turbidity - 1.0) * thickness / MIE_HEIGHT_KM as f32;
        // 300 Dobson units over the tent's 15 km, 2.687e20 molecules/m² a unit.
        let ozone_density = 300.0 * 2.687e20 / 15_000.0;
        for band in 0..BANDS {
            for bin in 0..3 {
                let micrometres = wavelength_nm(band, bin) * 1e-3;
                rayleigh[band] += molecular(micrometres) / 3.0;
                // Ångström's law with exponent 1.3 (Ångström 1929).
                mie[band] += aerosol_at_550 * libm::powf(micrometres / 0.55, -1.3) / 3.0;
                ozone[band] += OZONE[band * 3 + bin] * 1e-26 * ozone_density * 1e3 / 3.0;
            }
        }
        let mut atmosphere = Self {
            rayleigh,
            mie,
            ozone,
            towards_space: Vec::new(),
            multiple: Vec::new(),
        };
        for i in 0..SPACE_HEIGHTS {
            let share = i as f64 / (SPACE_HEIGHTS - 1) as f64;
            let r = GROUND_KM + share * share * (TOP_KM - GROUND_KM);
            for j in 0..SPACE_ANGLES {
                let x = j as f64 / (SPACE_ANGLES - 1) as f64;
                let mu = horizon_cosine(r) + (1.0 - horizon_cosine(r)) * x * x;
                atmosphere.towards_space.push(columns_to_space(r, mu));
            }
        }
        for i in 0..MULTIPLE_HEIGHTS {
            let share = i as f64 / (MULTIPLE_HEIGHTS - 1) as f64;
            let r = GROUND_KM + 0.01 + share * share * (TOP_KM - GROUND_KM - 1.0);
            for j in 0..MULTIPLE_ANGLES {
                let share = j as f64 / (MULTIPLE_ANGLES - 1) as f64;
                let elevation = MULTIPLE_LOWEST + share * (PI64 * 0.5 - MULTIPLE_LOWEST);
                let scattered = atmosphere.scattered_often(r, libm::sin(elevation));
                atmosphere.multiple.push(scattered);
            }
        }
        atmosphere
    }

    /// Share of sunlight that arrives at radius `r` when the cosine of the sun's zenith angle is `mu`;
    /// partly set, the sun counts in part.
    fn sunlight(&self, r: f64, mu: f64) -> Spectrum {
        let horizon = horizon_cosine(r);
        let above = libm::acos(horizon) - libm::acos(mu.clamp(-1.0, 1.0));
        let visible = (above / (2.0 * SUN_RADIUS_RAD) + 0.5).clamp(0.0, 1.0) as f32;
        if visible == 0.0 {
            return [0.0; BANDS];
        }
        let height = ((r - GROUND_KM) / (TOP_KM - GROUND_KM))
            .clamp(0.0, 1.0)
            .sqrt();
        let angle = ((mu - horizon) / (1.0 - horizon)).clamp(0.0, 1.0).sqrt();
        let y = height * (SPACE_HEIGHTS - 1) as f64;
        let x = angle * (SPACE_ANGLES - 1) as f64;
        let (i, j) = (
            (y as usize).min(SPACE_HEIGHTS - 2),
            (x as usize).min(SPACE_ANGLES - 2),
        );
        let (fy, fx) = ((y - i as f64) as f32, (x - j as f64) as f32);
        let at = |i: usize, j: usize| &self.towards_space[i * SPACE_ANGLES + j];
        let mix = |part: fn(&Columns) -> f32| {
            lerp(
                lerp(part(at(i, j)), part(at(i, j + 1)), fx),
                lerp(part(at(i + 1, j)), part(at(i + 1, j + 1)), fx),
                fy,
            )
        };
        let columns = Columns {
            air: mix(|c| c.air),
            aerosol: mix(|c| c.aerosol),
            ozone: mix(|c| c.ozone),
        };
        self.transmittance(&columns).map(|t| t * visible)
    }

    fn transmittance(&self, columns: &Columns) -> Spectrum {
        let mut result = [0.0; BANDS];
        for band in 0..BANDS {
            result[band] = libm::expf(-self.thickness(columns, band));
        }
        result
    }

    fn thickness(&self, columns: &Columns, band: usize) -> f32 {
        self.rayleigh[band] * columns.air
            + self.mie[band] * columns.aerosol
            + self.ozone[band] * columns.ozone
    }

    /// Hillaire's Ψ: radiance of light scattered at least twice, were it the same in all directions.
    fn scattered_often(&self, r: f64, mu_sun: f64) -> Spectrum {
        const ZENITHS: usize = 8;
        const AZIMUTHS: usize = 4;
        const STEPS: usize = 18;
        let sine_sun = (1.0 - mu_sun * mu_sun).max(0.0).sqrt();
        let mut second = [0.0_f32; BANDS];
        let mut again = [0.0_f32; BANDS];
        for i in 0..ZENITHS {
            // Equal areas of the sphere; by symmetry half of the azimuths.
            let mu = 1.0 - 2.0 * (i as f64 + 0.5) / ZENITHS as f64;
            let sine = (1.0 - mu * mu).sqrt();
            for j in 0..AZIMUTHS {
                let azimuth = PI64 * (j as f64 + 0.5) / AZIMUTHS as f64;
                let to_sun = mu * mu_sun + sine * sine_sun * libm::cos(azimuth);
                let ground = distance_to_ground(r, mu);
                let end = ground.unwrap_or_else(|| distance_to_shell(r, mu, TOP_KM));
                let mut through = [1.0_f32; BANDS];
                for step in 0..STEPS {
                    let (t, dt) = spread(step, STEPS, end);
                    let (r_here, mu_sun_here) = move_along(r, mu, mu_sun, to_sun, t);
                    let here = density(r_here - GROUND_KM);
                    let sun = self.sunlight(r_here, mu_sun_here);
                    for band in 0..BANDS {
                        let scattering = self.scattering(&here, band);
                        let extinction = self.thickness(&here, band);
                        let passed = libm::expf(-extinction * dt as f32);
                        // Exact for constant density over the step (Hillaire 2020, section 5.3).
                        let gathered =
                            through[band] * scattering * (1.0 - passed) / extinction.max(1e-12);
                        second[band] += gathered * sun[band] / (4.0 * core::f32::consts::PI);
                        again[band] += gathered;
                        through[band] *= passed;
                    }
                }
                if let Some(t) = ground {
                    let (_, mu_sun_here) = move_along(r, mu, mu_sun, to_sun, t);
                    let sun = self.sunlight(GROUND_KM, mu_sun_here);
                    let lit = GROUND_ALBEDO / core::f32::consts::PI * mu_sun_here.max(0.0) as f32;
                    for band in 0..BANDS {
                        second[band] += through[band] * lit * sun[band];
                    }
                }
            }
        }
        let count = (ZENITHS * AZIMUTHS) as f32;
        let mut result = [0.0; BANDS];
        for band in 0..BANDS {
            // Means over the sphere: ∫ … dω / 4π, then the geometric series of all orders.
            result[band] = second[band] / count / (1.0 - again[band] / count);
        }
        result
    }

    fn scattering(&self, here: &Columns, band: usize) -> f32 {
        self.rayleigh[band] * here.air + MIE_ALBEDO * self.mie[band] * here.aerosol
    }

    fn multiple_at(&self, r: f64, mu_sun: f64) -> Spectrum {
        let height = ((r - GROUND_KM) / (TOP_KM - GROUND_KM))
            .clamp(0.0, 1.0)
            .sqrt();
        let elevation = libm::asin(mu_sun.clamp(-1.0, 1.0));
        let angle =
            ((elevation - MULTIPLE_LOWEST) / (PI64 * 0.5 - MULTIPLE_LOWEST)).clamp(0.0, 1.0);
        let y = height * (MULTIPLE_HEIGHTS - 1) as f64;
        let x = angle * (MULTIPLE_ANGLES - 1) as f64;
        let (i, j) = (
            (y as usize).min(MULTIPLE_HEIGHTS - 2),
            (x as usize).min(MULTIPLE_ANGLES - 2),
        );
        let (fy, fx) = ((y - i as f64) as f32, (x - j as f64) as f32);
        let at = |i: usize, j: usize| &self.multiple[i * MULTIPLE_ANGLES + j];
        let mut result = [0.0; BANDS];
        for band in 0..BANDS {
            result[band] = lerp(
                lerp(at(i, j)[band], at(i, j + 1)[band], fx),
                lerp(at(i + 1, j)[band], at(i + 1, j + 1)[band], fx),
                fy,
            );
        }
        result
    }

    /// Share of sunlight that arrives at the ground.
    pub(super) fn sunlight_at_ground(&self, elevation_rad: f64) -> Spectrum {
        self.sunlight(GROUND_KM, libm::sin(elevation_rad))
    }

    /// Extinction just above the ground, 1/km.
    pub(super) fn extinction_at_ground(&self) -> Spectrum {
        let here = density(0.0);
        let mut result = [0.0; BANDS];
        for band in 0..BANDS {
            result[band] = self.thickness(&here, band);
        }
        result
    }

    /// Sky radiance per unit solar irradiance, seen from the ground towards a direction above the
    /// horizon: first what does not depend on the aerosol's phase function, then what that is to be
    /// multiplied with. The split keeps the bright ring around the sun out of tables.
    ///
    /// `azimuth` is the angle between the direction's and the sun's azimuth, radians.
    pub(super) fn radiance(
        &self,
        elevation: f64,
        azimuth: f64,
        sun_elevation: f64,
    ) -> [Spectrum; 2] {
        const STEPS: usize = 40;
        let r = GROUND_KM + 0.002;
        let mu = libm::sin(elevation);
        let mu_sun = libm::sin(sun_elevation);
        let to_sun =
            mu * mu_sun + libm::cos(elevation) * libm::cos(sun_elevation) * libm::cos(azimuth);
        let rayleigh_phase = (3.0 / (16.0 * PI64) * (1.0 + to_sun * to_sun)) as f32;
        let end = distance_to_shell(r, mu, TOP_KM);
        let mut smooth = [0.0_f32; BANDS];
        let mut peaked = [0.0_f32; BANDS];
        let mut through = [1.0_f32; BANDS];
        for step in 0..STEPS {
            let (t, dt) = spread(step, STEPS, end);
            let (r_here, mu_sun_here) = move_along(r, mu, mu_sun, to_sun, t);
            let here = density(r_here - GROUND_KM);
            let sun = self.sunlight(r_here, mu_sun_here);
            let often = self.multiple_at(r_here, mu_sun_here);
            for band in 0..BANDS {
                let extinction = self.thickness(&here, band);
                let passed = libm::expf(-extinction * dt as f32);
                let share = through[band] * (1.0 - passed) / extinction.max(1e-12);
                let molecules = self.rayleigh[band] * here.air;
                let aerosol = MIE_ALBEDO * self.mie[band] * here.aerosol;
                smooth[band] += share
                    * (molecules * rayleigh_phase * sun[band]
                        + (molecules + aerosol) * often[band]);
                peaked[band] += share * aerosol * sun[band];
                through[band] *= passed;
            }
        }
        [smooth, peaked]
    }
}

/// Middle and length of step `step` of `steps` to `end`, fine near the start.
fn spread(step: usize, steps: usize, end: f64) -> (f64, f64) {
    let at = |x: f64| end * (x / steps as f64) * (x / steps as f64);
    let (from, to) = (at(step as f64), at(step as f64 + 1.0));
    (0.5 * (from + to), to - from)
}

/// Radius and cosine of the sun's zenith angle after moving `t` along a ray.
fn move_along(r: f64, mu: f64, mu_sun: f64, to_sun: f64, t: f64) -> (f64, f64) {
    let there = (r * r + t * t + 2.0 * r * mu * t).sqrt();
    (there, ((r * mu_sun + t * to_sun) / there).clamp(-1.0, 1.0))
}

/// Integrates densities from radius `r` to space. Steps are fine where the path is lowest.
fn columns_to_space(r: f64, mu: f64) -> Columns {
    const STEPS: usize = 48;
    let end = distance_to_shell(r, mu, TOP_KM);
    let lowest = (-r * mu).min(end).max(0.0);
    let end = end.max(lowest);
    let mut sum = Columns::default();
    for (length, sign) in [(lowest, -1.0), (end - lowest, 1.0)] {
        if length <= 0.0 {
            continue;
        }
        for step in 0..STEPS {
            let (offset, dt) = spread(step, STEPS, length);
            let t = lowest + sign * offset;
            let there = (r * r + t * t + 2.0 * r * mu * t).sqrt();
            let here = density(there - GROUND_KM);
            sum.air += here.air * dt as f32;
            sum.aerosol += here.aerosol * dt as f32;
            sum.ozone += here.ozone * dt as f32;
        }
    }
    sum
}

/// Middle of a 10-nm bin.
fn wavelength_nm(band: usize, bin: usize) -> f32 {
    375.0 + 10.0 * (band * 3 + bin) as f32
}

/// Linear Rec.709 from a share of sunlight per band: sums solar irradiance times the CIE 1931 colour
/// matching functions (the fits of Wyman, Sloan, Shirley 2013, equations 4). Y = 1 stands for
/// 683 lm/W. Colours purer than Rec.709 can show are mixed with grey of the same Y until the smallest
/// component is 2 % of it.
pub(super) struct ColourOfSunlight([[f32; 3]; BANDS]);

impl ColourOfSunlight {
    pub(super) fn new() -> Self {
        let lobe = |x: f32, middle: f32, below: f32, above: f32| {
            let t = (x - middle) * if x < middle { below } else { above };
            libm::expf(-0.5 * t * t)
        };
        let mut weights = [[0.0; 3]; BANDS];
        for (band, weight) in weights.iter_mut().enumerate() {
            for bin in 0..3 {
                let nm = wavelength_nm(band, bin);
                let x = 0.362 * lobe(nm, 442.0, 0.0624, 0.0374)
                    + 1.056 * lobe(nm, 599.8, 0.0264, 0.0323)
                    - 0.065 * lobe(nm, 501.1, 0.0490, 0.0382);
                let y = 0.821 * lobe(nm, 568.8, 0.0213, 0.0247)
                    + 0.286 * lobe(nm, 530.9, 0.0613, 0.0322);
                let z = 1.217 * lobe(nm, 437.0, 0.0845, 0.0278)
                    + 0.681 * lobe(nm, 459.0, 0.0385, 0.0725);
                let power = SOLAR[band * 3 + bin] * 10.0;
                // XYZ to linear Rec.709 (IEC 61966-2-1).
                weight[0] += power * (3.2406 * x - 1.5372 * y - 0.4986 * z);
                weight[1] += power * (-0.9689 * x + 1.8758 * y + 0.0415 * z);
                weight[2] += power * (0.0557 * x - 0.2040 * y + 1.0570 * z);
            }
        }
        Self(weights)
    }

    pub(super) fn rgb(&self, share: &Spectrum) -> [f32; 3] {
        let mut rgb = [0.0_f32; 3];
        for (weight, share) in self.0.iter().zip(share) {
            for channel in 0..3 {
                rgb[channel] += weight[channel] * share;
            }
        }
        let y = (0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]).max(0.0);
        let least = rgb[0].min(rgb[1]).min(rgb[2]);
        if least < 0.02 * y {
            let share = 0.98 * y / (y - least);
            return rgb.map(|c| (y + (c - y) * share).max(0.0));
        }
        rgb
    }
}
