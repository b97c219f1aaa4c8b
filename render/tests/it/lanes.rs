//! Eight surfaces side by side are what each is alone, bit for bit, on every instruction set.

use diorama_render::accel::{Isa, Kernel, Simd8};
use diorama_render::kernels::bsdf::{Bsdf, Seen, SurfaceValues};
use diorama_render::kernels::lanes::{LANES, Lanes};
use diorama_render::kernels::real::Real;
use diorama_render::kernels::sampler::{combine, unit_from_bits};
use diorama_render::kernels::tables::tables;
use diorama_render::kernels::vector::Vector3;
use glam::Vec3;

/// Groups of eight.
const GROUPS: u32 = 400;

/// A surface, how it is seen and lit, and the numbers that scatter there.
struct Case {
    values: SurfaceValues,
    wo: Vec3,
    normal: Vec3,
    mapped: Vec3,
    smooth: Vec3,
    geometric_normal: Vec3,
    entering: bool,
    wi: Vec3,
    u: [f32; 3],
}

/// Numbers of a stream.
struct Numbers(u32, u32);

impl Numbers {
    fn unit(&mut self) -> f32 {
        self.1 += 1;
        unit_from_bits(combine(self.0, self.1))
    }

    /// Between 0 and 1, often one of the two: layers come and go.
    fn share(&mut self) -> f32 {
        match (self.unit() * 4.0) as u32 {
            0 | 1 => 0.0,
            2 => 1.0,
            _ => self.unit(),
        }
    }

    fn color(&mut self) -> Vec3 {
        Vec3::new(self.unit(), self.unit(), self.unit())
    }

    fn direction(&mut self) -> Vec3 {
        (self.color() * 2.0 - Vec3::ONE).normalize_or(Vec3::Z)
    }

    fn case(&mut self) -> Case {
        let geometric_normal = self.direction();
        let side = |v: Vec3| if v.dot(geometric_normal) < 0.0 { -v } else { v };
        let near = |v: Vec3| (geometric_normal + v * 0.4).normalize_or(geometric_normal);
        let smooth = near(self.direction());
        let mapped = if self.unit() < 0.5 {
            smooth
        } else {
            near(self.direction())
        };
        Case {
            values: SurfaceValues {
                base_color: self.color(),
                metallic: self.share(),
                roughness: self.share(),
                ior: 1.0 + self.share(),
                specular: if self.unit() < 0.5 { 0.5 } else { self.unit() },
                specular_tint: if self.unit() < 0.5 {
                    Vec3::ONE
                } else {
                    self.color()
                },
                transmission: self.share(),
                transmission_roughness: if self.unit() < 0.7 { -1.0 } else { self.unit() },
                thin_walled: self.unit() < 0.3,
                diffuse_transmission: self.share(),
                coat: self.share(),
                coat_roughness: self.share(),
                coat_ior: 1.0 + self.unit(),
                coat_tint: if self.unit() < 0.5 {
                    Vec3::ONE
                } else {
                    self.color()
                },
                sheen: self.share(),
                sheen_roughness: self.unit(),
                sheen_tint: self.color(),
            },
            wo: side(self.direction()),
            normal: mapped,
            mapped,
            smooth,
            geometric_normal,
            entering: self.unit() < 0.5,
            wi: self.direction(),
            u: [self.unit(), self.unit(), self.unit()],
        }
    }
}

impl Case {
    fn seen(&self) -> Seen<'_> {
        Seen {
            values: &self.values,
            wo: self.wo,
            normal: self.normal,
            geometric_normal: self.geometric_normal,
            entering: self.entering,
        }
    }
}

/// What is said of one surface: bits of all numbers that count.
fn bits(numbers: impl IntoIterator<Item = f32>) -> Vec<u32> {
    // Zeros are equal whatever their sign.
    numbers.into_iter().map(|x| (x + 0.0).to_bits()).collect()
}

fn alone(case: &Case) -> Vec<u32> {
    let bsdf = Bsdf::new(&case.seen(), tables()).over(case.mapped.into(), case.smooth.into());
    let (value, density) = bsdf.eval(case.wi);
    let mut said = Vec::from(Vec3::from(bsdf.emission_weight).to_array());
    said.push(f32::from(u8::from(bsdf.has_density)));
    said.extend(value.to_array());
    said.push(density);
    let [u, v, u_interface] = case.u;
    if let Some(sample) = bsdf.sample([u, v], u_interface) {
        said.extend(sample.wi.to_array());
        said.extend(sample.weight.to_array());
        said.extend([sample.pdf, f32::from(u8::from(sample.transmitted))]);
    }
    bits(said)
}

/// [`alone`] of eight, side by side.
struct Together<'a>(&'a [Case]);

impl Kernel for Together<'_> {
    type Output = Vec<Vec<u32>>;

    #[inline(always)]
    fn run<S: Simd8>(self, simd: S) -> Self::Output {
        let cases = self.0;
        let vector = |of: fn(&Case) -> Vec3| Vector3::from_lanes(simd, |i| of(&cases[i]));
        let number = |k: usize| Lanes::from_lanes(simd, |i| cases[i].u[k]);
        let bsdf = Bsdf::<Lanes<S>>::from_lanes(simd, |i| cases[i].seen(), tables())
            .over(vector(|c| c.mapped), vector(|c| c.smooth));
        let (value, density) = bsdf.evaluate(vector(|c| c.wi));
        let sample = bsdf.scatter([number(0), number(1)], number(2));
        let (emission, value) = (bsdf.emission_weight.to_array(), value.to_array());
        let (wi, weight) = (sample.wi.to_array(), sample.weight.to_array());
        let (density, pdf) = (density.to_array(), sample.pdf.to_array());
        let truth = |mask: u32, i: usize| f32::from((mask >> i & 1) as u8);
        (0..LANES)
            .map(|i| {
                let mut said = Vec::from(emission[i].to_array());
                said.push(truth(bsdf.has_density.bits(), i));
                said.extend(value[i].to_array());
                said.push(density[i]);
                if sample.valid.bits() >> i & 1 == 1 {
                    said.extend(wi[i].to_array());
                    said.extend(weight[i].to_array());
                    said.extend([pdf[i], truth(sample.transmitted.bits(), i)]);
                }
                bits(said)
            })
            .collect()
    }
}

#[test]
fn eight_surfaces_side_by_side_are_what_each_is_alone() {
    let mut numbers = Numbers(11, 0);
    let (mut scattered, mut absorbed) = (0, 0);
    for group in 0..GROUPS {
        let cases: Vec<Case> = (0..LANES).map(|_| numbers.case()).collect();
        let expected: Vec<Vec<u32>> = cases.iter().map(alone).collect();
        for said in &expected {
            if said.len() > 8 {
                scattered += 1;
            } else {
                absorbed += 1;
            }
        }
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_supported()) {
            assert_eq!(
                isa.dispatch(Together(&cases)),
                expected,
                "group {group}, {isa:?}"
            );
        }
    }
    assert!(scattered > 1000 && absorbed > 10, "{scattered} {absorbed}");
}
